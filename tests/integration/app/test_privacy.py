"""Export and erasure of one user on the stack, called as the website calls: until it is done."""

import asyncio
import functools
import json
import uuid

import pytest
import redis
from azure.cosmos import CosmosClient
from azure.storage.blob import ContainerClient

from local.blob.command import ACCOUNT
from local.common.keys import load_or_create
from local.site.issuer import Issuer
from shared.services.user_data.walk import MESSAGES_AT_ONCE
from tests.hub import Hub, HubClosedError
from tests.integration.app.people import Json, Person, World, code_of, eventually, message
from tests.integration.app.pictures import attach, png, uploaded
from tests.stack import Stack

pytestmark = pytest.mark.stack


def the_site(world: World) -> Person:
    """Return the website itself, which holds the issuer's key."""
    (key,) = world.stack.directory.rglob("issuer.pem")
    issuer = Issuer(key.parent, world.stack.base_url)
    return Person("site", issuer.site_token(), world)


async def all_of(world: World, what: str, user_id: str) -> list[Json]:
    """Return every part that a call of the website answers with, from the first to the last."""
    site, parts, continuation = the_site(world), [], None
    while True:
        asked = {"continuation": continuation}
        part: Json = await site.good("POST", f"/site/users/{user_id}/{what}", asked)
        parts.append(part)
        continuation = part["continuation"]
        if continuation is None:
            return parts


def counted(parts: list[Json]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in parts:
        for line in part["removed"]:
            found[line["what"]] = found.get(line["what"], 0) + line["count"]
    return found


def stored(stack: Stack, query: str) -> list[Json]:
    """Return what a query over all messages finds."""
    key = load_or_create(stack.directory).cosmos
    with CosmosClient(f"http://127.0.0.1:{stack.ports.cosmos}/", key) as client:
        messages = client.get_database_client("parley").get_container_client("messages")
        return list(messages.query_items(query, enable_cross_partition_query=True))


def blobs_of(stack: Stack, attachment_id: str) -> list[str]:
    with ContainerClient(
        f"http://127.0.0.1:{stack.ports.blob}/{ACCOUNT}",
        "attachments",
        {"account_name": ACCOUNT, "account_key": load_or_create(stack.directory).blob},
    ) as container:
        names = [str(one.name) for one in container.list_blobs()]
    return [name for name in names if attachment_id in name]


async def test_an_export_gives_the_website_all_that_there_is(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    group = await ann.group(bob, title="Climbing")
    said = await ann.say(group, "what I wrote")
    await bob.say(group, "what Bob wrote")
    file = await uploaded(ann, group, png(8, 8))
    await attach(ann, group, file)

    parts = await all_of(world, "export", ann.user_id)

    assert parts[0]["user"]["displayName"] == "Ann"
    (place,) = [one for part in parts for one in part["conversations"]]
    assert place["member"]["title"] == "Climbing"
    assert place["member"]["role"] == "owner"
    messages = [one for part in parts for one in part["messages"]]
    assert {one["senderId"] for one in messages} == {ann.user_id}
    assert said["body"] in [one["body"] for one in messages]
    (sent,) = [one for part in parts for one in part["files"]]
    assert (await world.call("GET", sent["url"])).body == png(8, 8)


async def test_an_erasure_leaves_nothing_of_a_user_but_gapless_history(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    group = await ann.group(bob)
    direct = await ann.direct(bob)
    for conversation_id in (group, direct):
        await ann.say(conversation_id, "a secret of Ann's")
        await bob.say(conversation_id, "of Bob's own")
    file = await uploaded(ann, group, png(8, 8))
    await attach(ann, group, file)
    await eventually(
        lambda: asyncio.to_thread(blobs_of, world.stack, file), lambda names: len(names) > 2
    )

    parts = await all_of(world, "erase", ann.user_id)

    total = counted(parts)
    assert total["contents of messages"] == 3
    assert total["groups left"] == total["direct conversations closed"] == 1
    assert total["files with their small copies and grants"] == 1
    assert total["keys of the user"] >= 1
    assert {line["store"] for line in parts[-1]["kept"]} >= {"cosmos/messages", "backups"}
    page = await bob.read(group)
    assert [(one["sequence"], one["body"]) for one in page] == [
        (1, ""),
        (2, "of Bob's own"),
        (3, ""),
    ]
    assert page[2]["attachments"] == []
    assert await asyncio.to_thread(blobs_of, world.stack, file) == []
    query = f"SELECT * FROM c WHERE c.senderId = '{ann.user_id}'"
    assert "secret" not in json.dumps(await asyncio.to_thread(stored, world.stack, query))
    inbox = await bob.good("GET", "/conversations")
    assert "secret" not in json.dumps(inbox)
    members = (await bob.good("GET", f"/conversations/{group}"))["members"]
    assert [(one["userId"], one["role"]) for one in members] == [(bob.user_id, "owner")]


async def test_an_erased_user_is_shut_out_at_once(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    group, direct = await ann.group(bob), await ann.direct(bob)
    of_ann, of_bob = await ann.connect(), await bob.connect()

    await all_of(world, "erase", ann.user_id)

    await of_ann.until(
        lambda: len(of_ann.heard("conversationRemoved")) == 2, "not told of both conversations"
    )
    removed = {one["conversationId"] for one in of_ann.heard("conversationRemoved")}
    assert removed == {group, direct}
    await of_bob.wait_for("conversationChanged", lambda it: it["conversation"]["id"] == group)
    await bob.say(group, "without Ann")
    for path in ("/conversations", "/contacts", "/presence?userIds=" + bob.user_id, "/me"):
        assert code_of(await ann.call("GET", path)) == "forbidden"
    assert code_of(await ann.call("POST", "/sync", {"positions": {}})) == "forbidden"
    assert (await ann.post(group)).status == (await ann.post(direct)).status == 404
    assert (await bob.post(direct)).status == 403
    assert of_ann.heard("messagePosted") == []


async def test_the_connections_of_an_erased_user_end_and_none_comes_back(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    await ann.direct(bob)
    open_one = await ann.connect()
    claimed = {"x-ms-signalr-userid": ann.user_id}
    token = (await ann.call("POST", "/negotiate", headers=claimed)).json
    assert (await open_one.invoke("heartbeat", {}))["ok"]

    await all_of(world, "erase", ann.user_id)

    await ended(open_one)
    # Its connection token is good for an hour.
    late = await Hub.follow(world.session, token["url"], token["accessToken"])
    ann.hubs.append(late)
    await ended(late)
    refused = await ann.call("POST", "/negotiate", headers=claimed)
    assert code_of(refused) == "forbidden"
    seen = (await bob.good("GET", f"/presence?userIds={ann.user_id}"))["items"]
    assert [(one["status"], one["lastSeenAt"]) for one in seen] == [("offline", None)]
    left = await asyncio.to_thread(redis_keys, world.stack, ann.user_id)
    assert left == [f"account:{{{ann.user_id}}}"]


async def test_nothing_is_left_of_who_sends_while_being_erased(world: World) -> None:
    for _ in range(2):
        ann, bob = await world.people(f"ann-{uuid.uuid4().hex[:6]}", "bob")
        group, hub = await ann.group(bob), await ann.connect()
        accepted: list[int] = []
        senders = [
            asyncio.create_task(send_until_refused(ann, group, hub if n % 3 else None, accepted))
            for n in range(15)
        ]
        await eventually(functools.partial(counted_so_far, accepted), lambda count: count >= 30)

        await all_of(world, "erase", ann.user_id)

        query = f"SELECT c.id FROM c WHERE c.senderId = '{ann.user_id}' AND c.body = 'secret'"
        async with asyncio.timeout(60):
            await asyncio.gather(*senders)
        # What was on its way is emptied by the call that stored it, or by the change feed.
        await eventually(
            functools.partial(asyncio.to_thread, stored, world.stack, query), lambda left: not left
        )
        assert "secret" not in json.dumps(await bob.good("GET", "/conversations"))
        assert "secret" not in json.dumps(await bob.read(group))


async def ended(hub: Hub) -> None:
    async def is_open() -> bool:
        return hub.is_open

    await eventually(is_open, lambda is_open: not is_open)


async def send_until_refused(
    person: Person, conversation_id: str, hub: Hub | None, accepted: list[int]
) -> None:
    """Send one message after another, over *hub* or HTTP, until the person is refused."""
    while True:
        asked = message("secret", conversationId=conversation_id)
        if hub is None:
            code = (await person.post(conversation_id, **asked)).status
        else:
            try:
                answer = await hub.invoke(
                    "sendMessage", {"conversationId": conversation_id, **asked}
                )
            except HubClosedError:
                return
            code = 201 if answer["ok"] else _CODES[answer["error"]["code"]]
        if code in {403, 404}:
            return
        assert code in {201, 429}, code
        if code == 201:
            accepted.append(1)
        await asyncio.sleep(0.01)


async def counted_so_far(accepted: list[int]) -> int:
    return len(accepted)


_CODES = {"not_found": 404, "forbidden": 403, "rate_limited": 429}


def redis_keys(stack: Stack, user_id: str) -> list[str]:
    """Return the names of the keys of one user in Redis."""
    with redis.Redis(port=stack.ports.redis_server) as connection:
        return sorted(key.decode() for key in connection.scan_iter(f"*{{{user_id}}}*"))


async def test_a_repeated_erasure_finds_nothing_left(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    await ann.say(await ann.group(bob))
    await all_of(world, "erase", ann.user_id)

    again = await all_of(world, "erase", ann.user_id)

    assert counted(again) == {}
    assert await world.feed([{"UserId": ann.user_id, "DisplayName": "Ann"}]) in {200, 202, 204}
    exported = await all_of(world, "export", ann.user_id)
    assert exported[0]["user"]["displayName"] == "Deleted user"


async def test_messages_of_many_buckets_and_steps_are_erased(small: World) -> None:
    ann, bob = await small.people("ann", "bob")
    group = await ann.group(bob)
    for number in range(MESSAGES_AT_ONCE + 5):
        await ann.say(group, f"number {number}")

    exported = await all_of(small, "export", ann.user_id)
    parts = await all_of(small, "erase", ann.user_id)

    said = [one["body"] for part in exported for one in part["messages"]]
    assert said == [f"number {number}" for number in range(MESSAGES_AT_ONCE + 5)]
    assert counted(parts)["contents of messages"] == MESSAGES_AT_ONCE + 5
    page = [*await bob.read(group, "after=0&limit=100"), *await bob.read(group, "after=100")]
    assert [one["sequence"] for one in page] == list(range(1, MESSAGES_AT_ONCE + 6))
    assert {one["body"] for one in page} == {""}


@pytest.mark.parametrize("what", ["export", "erase"])
async def test_only_the_website_asks_and_only_for_users_it_has(world: World, what: str) -> None:
    ann = await world.person("ann")

    own = await ann.call("POST", f"/site/users/{ann.user_id}/{what}", {})
    unknown = await the_site(world).call("POST", f"/site/users/nobody-{world.mark}/{what}", {})
    wrong = await the_site(world).call(
        "POST", f"/site/users/{ann.user_id}/{what}", {"continuation": "bm9uZQ=="}
    )

    assert (own.status, code_of(own)) == (403, "forbidden")
    assert (unknown.status, code_of(unknown)) == (404, "user_not_found")
    assert (wrong.status, code_of(wrong)) == (400, "invalid")
    assert (await ann.good("GET", "/me"))["displayName"] == "Ann"
