"""Notifying the absent: the whole way to a device, and who is left in peace.

Where somebody must *not* be notified, another member of the same conversation must: once that one
has been, the notice has been worked off for all.
"""

import json

import pytest
from azure.cosmos import CosmosClient

from local.common.keys import load_or_create
from tests.integration.app.people import Json, Person, World, code_of, eventually

pytestmark = pytest.mark.stack


async def subscribe(person: Person, name: str = "phone") -> str:
    """Give *person* a device that takes notifications; return its endpoint."""
    world = person.world
    made = await world.call("POST", "/dev/push-subscription", {"userId": person.user_id})
    reply = await person.call("PUT", f"/push-subscriptions/{name}", made.json)
    assert reply.status == 204, reply.body
    return str(made.json["endpoint"])


async def notified(person: Person) -> list[Json]:
    path = f"/dev/notifications?userId={person.user_id}"
    items: list[Json] = (await person.world.call("GET", path)).json["items"]
    return items


async def hears(person: Person, count: int = 1) -> list[Json]:
    return await eventually(lambda: notified(person), lambda items: len(items) >= count)


async def absent(world: World, *names: str) -> tuple[Person, list[Person], str]:
    """Return a sender, others with a device each, and the group of all."""
    ann, *others = await world.people("ann", *names)
    for other in others:
        await subscribe(other)
    return ann, others, await ann.group(*others)


async def test_a_message_to_one_who_is_away_reaches_their_device(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    await subscribe(bob)
    conversation_id = await ann.direct(bob)

    await ann.say(conversation_id, "are you there?")

    (heard,) = await hears(bob)
    assert heard["conversationId"] == conversation_id
    assert heard["title"] == "Ann"
    assert "are you there?" not in heard["body"]
    assert heard["body"]
    assert await notified(ann) == []


async def test_a_browser_that_another_user_took_over_is_theirs(world: World) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    made = await world.call("POST", "/dev/push-subscription", {"userId": bob.user_id})
    for person in (ann, bob):
        assert (await person.call("PUT", "/push-subscriptions/shared", made.json)).status == 204
    await subscribe(ann, "own")
    to_ann, to_bob = await cyd.direct(ann), await cyd.direct(bob)

    await cyd.say(to_ann, "for ann")
    await hears(ann)  # on the device of her own
    await cyd.say(to_bob, "for bob")

    (heard,) = await hears(bob)
    assert heard["conversationId"] == to_bob


async def test_every_device_is_reached_and_an_unsubscribed_one_no_more(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    await subscribe(bob, "phone")
    await subscribe(bob, "laptop")
    conversation_id = await ann.direct(bob)
    await ann.say(conversation_id)
    await hears(bob, 2)

    assert (await bob.call("DELETE", "/push-subscriptions/phone")).status == 204
    assert (await bob.call("DELETE", "/push-subscriptions/phone")).status == 204
    await subscribe(bob, "laptop")  # the same device again, under a new endpoint
    await ann.say(conversation_id)

    await hears(bob, 3)
    await subscribe(ann)
    await bob.say(conversation_id)
    await hears(ann)
    assert len(await notified(bob)) == 3


@pytest.mark.parametrize(
    ("preview", "told", "kept"),
    [
        ("nothing", "new messages", ["Ann", "Climbing", "secret"]),
        ("sender", "New message", ["secret"]),
        ("text", "a secret word", []),
    ],
)
async def test_a_notification_tells_no_more_than_its_reader_wants(
    world: World, preview: str, told: str, kept: list[str]
) -> None:
    ann, bob = await world.people("ann", "bob")
    await subscribe(bob)
    await bob.good("PATCH", "/me/settings", {"preview": preview})
    conversation_id = await ann.group(bob, title="Climbing")

    await ann.say(conversation_id, "a secret word")

    (heard,) = await hears(bob)
    text = f"{heard['title']}: {heard['body']}"
    assert told in text
    assert [word for word in kept if word in text] == []
    if preview != "nothing":
        assert "Ann" in heard["title"]
        assert "Climbing" in heard["title"]


async def test_a_long_text_is_cut_for_its_notification(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    await subscribe(bob)
    await bob.good("PATCH", "/me/settings", {"preview": "text"})

    await ann.say(await ann.direct(bob), "👩🏽‍🚀 " * 1_600)

    (heard,) = await hears(bob)
    assert len(heard["body"]) <= 140


async def test_who_muted_the_conversation_is_left_in_peace(world: World) -> None:
    ann, (bob, cyd), conversation_id = await absent(world, "bob", "cyd")
    await bob.good("PUT", f"/conversations/{conversation_id}/mute", {"until": 4_000_000_000_000})

    await ann.say(conversation_id)

    await hears(cyd)
    assert await notified(bob) == []


async def test_who_acknowledged_within_the_delay_is_left_in_peace(tuned: World) -> None:
    ann, (bob, cyd), conversation_id = await absent(tuned, "bob", "cyd")
    of_bob, of_cyd = await bob.connect(), await cyd.connect()

    await ann.say(conversation_id)

    await of_cyd.wait_for("messagePosted")
    pushed = (await of_bob.wait_for("messagePosted"))["message"]
    asked = {"conversationId": conversation_id, "delivered": pushed["sequence"]}
    assert (await of_bob.invoke("acknowledge", asked))["ok"]
    await hears(cyd)  # online, but never acknowledged: reached by the delayed second look
    assert await notified(bob) == []


async def test_the_sender_is_not_notified_and_a_former_member_neither(world: World) -> None:
    ann, (bob, cyd), conversation_id = await absent(world, "bob", "cyd")
    await subscribe(ann)
    await ann.call("DELETE", f"/conversations/{conversation_id}/members/{bob.user_id}")
    before = len(await notified(bob))

    await ann.say(conversation_id, "without Bob")

    await hears(cyd)
    assert await notified(ann) == []
    assert len(await notified(bob)) == before


async def test_nobody_is_notified_across_a_block(world: World) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    for person in (bob, cyd):
        await subscribe(person)
    blocked, open_ = await ann.direct(bob), await ann.direct(cyd)
    await bob.good("PUT", f"/blocks/{ann.user_id}")

    refused = await ann.post(blocked)
    await ann.say(open_)

    await hears(cyd)
    assert refused.status == 403
    assert await notified(bob) == []


async def test_a_subscription_its_push_service_has_ended_is_dropped(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    expired, _ = await subscribe(bob, "lost"), await subscribe(bob, "kept")
    identifier = expired.rsplit("/", 1)[-1]
    gone = await world.call("DELETE", f"/dev/push-subscription/{identifier}")
    conversation_id = await ann.direct(bob)

    await ann.say(conversation_id)

    await hears(bob)
    assert gone.status == 204
    stack = world.stack
    key = load_or_create(stack.directory).cosmos
    with CosmosClient(f"http://127.0.0.1:{stack.ports.cosmos}/", key) as client:
        users = client.get_database_client("parley").get_container_client("users")

        async def stored() -> str:
            return json.dumps(users.read_item(bob.user_id, bob.user_id))

        text = await eventually(stored, lambda text: expired not in text)
    assert "kept" in text


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://example.com/push",
        "http://127.0.0.1:1/push",
        "{origin}.example.com/dev/push/x",
        "{origin}@example.com/",
        "https://user:secret@fcm.googleapis.com/x",
        "//127.0.0.1/x",
        "file:///etc/passwd",
        "http://169.254.169.254/metadata",
        "",
        None,
        7,
        "http://[::1",
        "https://" + "x" * 5_000,
    ],
)
async def test_an_endpoint_that_is_no_known_push_service_is_refused(
    world: World, endpoint: object
) -> None:
    ann = await world.person("ann")
    made = await world.call("POST", "/dev/push-subscription", {"userId": ann.user_id})
    if isinstance(endpoint, str):
        endpoint = endpoint.replace("{origin}", world.stack.base_url)

    reply = await ann.call("PUT", "/push-subscriptions/phone", {**made.json, "endpoint": endpoint})

    assert (reply.status, code_of(reply)) == (400, "invalid")
    assert "endpoint" in reply.json["detail"]


@pytest.mark.parametrize(
    "keys",
    [
        None,
        {},
        {"p256dh": "AAAA", "auth": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"p256dh": "B" + "A" * 86, "auth": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"p256dh": "!" * 87, "auth": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"p256dh": 1, "auth": 2},
    ],
)
async def test_keys_that_are_none_are_refused(world: World, keys: object) -> None:
    ann = await world.person("ann")
    made = await world.call("POST", "/dev/push-subscription", {"userId": ann.user_id})

    reply = await ann.call("PUT", "/push-subscriptions/phone", {**made.json, "keys": keys})

    assert (reply.status, code_of(reply)) == (400, "invalid")
    assert any(name in reply.json["detail"] for name in ("keys", "p256dh", "auth"))
