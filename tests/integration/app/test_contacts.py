"""Contacts, profiles and settings: what the chat knows of the website's users."""

import base64
import json

import pytest

from tests.integration.app.people import World, code_of, eventually

pytestmark = pytest.mark.stack


async def test_contacts_come_as_the_website_lists_them_with_their_presence(
    world: World,
) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    contacts = [cyd.user_id, f"gone-{world.mark}", bob.user_id]
    row = {"UserId": ann.user_id, "DisplayName": "Ann", "Contacts": json.dumps(contacts)}
    assert await world.feed([row]) == 200
    await bob.connect()

    page = await eventually(
        lambda: ann.good("GET", "/contacts"),
        lambda page: page["items"][1]["presence"]["status"] == "online",
    )

    items = page["items"]
    assert [(item["userId"], item["displayName"]) for item in items] == [
        (cyd.user_id, "Cyd"),
        (bob.user_id, "Bob"),
    ]
    assert items[0]["presence"] == {
        "userId": cyd.user_id,
        "status": "offline",
        "lastSeenAt": None,
    }
    assert all(item["avatarUrl"].startswith("http") for item in items)


async def test_someone_without_contacts_has_an_empty_list(world: World) -> None:
    ann = await world.person("ann")

    assert await ann.good("GET", "/contacts") == {"items": []}


async def test_me_tells_profile_settings_and_the_key_to_subscribe_with(world: World) -> None:
    ann = await world.person("ann")

    me = await ann.good("GET", "/me")

    key = me["push"]["publicKey"]
    assert me["userId"] == ann.user_id
    assert me["displayName"] == "Ann"
    assert me["settings"] == {"preview": "sender", "blocked": []}
    assert len(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))) == 65


async def test_a_setting_is_kept_and_a_wrong_one_refused(world: World) -> None:
    ann = await world.person("ann")

    changed = await ann.good("PATCH", "/me/settings", {"preview": "text"})
    refused = await ann.call("PATCH", "/me/settings", {"preview": "everything"})

    assert changed["settings"]["preview"] == "text"
    assert (refused.status, code_of(refused)) == (400, "invalid")
    assert (await ann.good("GET", "/me"))["settings"]["preview"] == "text"


async def test_a_changed_row_of_the_website_changes_name_and_picture(world: World) -> None:
    ann = await world.person("ann")
    await ann.good("PATCH", "/me/settings", {"preview": "text"})
    row = {"UserId": ann.user_id, "DisplayName": "Anna", "AvatarUrl": "https://example.com/a.png"}

    status = await world.feed([row])

    me = await ann.good("GET", "/me")
    assert status == 200
    assert (me["displayName"], me["avatarUrl"]) == ("Anna", "https://example.com/a.png")
    assert me["settings"]["preview"] == "text"


async def test_a_deleted_row_takes_nothing_away(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    await ann.say(conversation_id)
    changes = [{"Operation": 2, "Item": {"UserId": ann.user_id, "DisplayName": None}}]

    reply = await world.run("users_changed", json.dumps(changes))

    assert reply.status == 200
    assert (await ann.good("GET", "/me"))["displayName"] == "Ann"
    assert len(await bob.read(conversation_id)) == 1


@pytest.mark.parametrize(
    "row",
    [
        {"DisplayName": "No id"},
        {"UserId": "../../etc", "DisplayName": "x"},
        {"UserId": "u", "Contacts": "[1]"},
    ],
)
async def test_a_row_that_makes_no_sense_fails_the_function(
    world: World, row: dict[str, object]
) -> None:
    assert await world.feed([row]) == 500


async def test_a_block_of_the_website_takes_effect_in_chat(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    row = {"UserId": bob.user_id, "DisplayName": "Bob", "Blocked": json.dumps([ann.user_id])}

    await world.feed([row])

    reply = await ann.post(conversation_id)
    assert (reply.status, code_of(reply)) == (403, "blocked")


async def test_only_the_website_itself_feeds_users(world: World) -> None:
    ann = await world.person("ann")
    items = {"items": [{"userId": ann.user_id, "displayName": "Queen of Sheba"}]}

    reply = await ann.call("POST", "/site/users", items)
    nobody = await world.call("POST", "/api/site/users", items)

    assert (reply.status, code_of(reply)) == (403, "forbidden")
    assert (nobody.status, code_of(nobody)) == (401, "unauthenticated")
    assert (await ann.good("GET", "/me"))["displayName"] == "Ann"


async def test_health_names_every_service_without_asking_who_calls(world: World) -> None:
    reply = await world.call("GET", "/api/health")

    assert reply.status == 200
    assert reply.json == {
        "status": "ok",
        "checks": dict.fromkeys(("cosmos", "redis", "signalr", "serviceBus", "blob"), "ok"),
    }
