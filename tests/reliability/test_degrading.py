"""With one service down, what does not need it goes on, and what does comes right afterwards."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.integration.app.people import Person, World, eventually
from tests.reliability.stack_probe import container
from tests.reliability.test_poison import notified, subscribe
from tests.stack import Reply

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@asynccontextmanager
async def down(world: World, service: str, kind: str = "drop", **knob: Any) -> AsyncIterator[None]:
    """Have *service* fail for the length of the block."""
    asked = {"service": service, "kind": kind, **knob}
    assert (await world.call("POST", "/dev/faults", asked)).status == 200
    yield
    await world.call("DELETE", "/dev/faults")


async def stored(world: World, conversation: str) -> list[str]:
    """Return the bodies the store holds of *conversation*, read past the app."""
    async with container(world.stack, "messages") as messages:
        query = "SELECT c.body, c.sequence FROM c"
        items = [item async for item in messages.query_items(query, partition_key=[conversation])]
    return [item["body"] for item in sorted(items, key=lambda item: int(item["sequence"]))]


async def retried(person: Person, conversation: str, body: str) -> Reply:
    """Post as a client does: the same message again until it is acknowledged."""
    message: dict[str, Any] = {"clientMessageId": str(uuid.uuid4()), "body": body}
    reply = await person.post(conversation, **message)
    for _ in range(60):
        if reply.status < 500:
            return reply
        await asyncio.sleep(0.25)
        reply = await person.post(conversation, **message, retry=True)
    raise AssertionError(reply.body)


async def test_with_redis_down_sending_reading_and_syncing_go_on(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    place = await ann.direct(bob)
    await ann.say(place, "before")
    await bob.acknowledge(place, read=1)

    async with down(world, "redis"):
        for number in range(5):
            assert (await ann.post(place, f"during {number}")).status == 201
        page = await bob.read(place)
        synced = await bob.good("POST", "/sync", {"positions": {place: 1}})
        inbox = await bob.good("GET", "/conversations")
        presence = await bob.good("GET", f"/presence?userIds={ann.user_id}")
        receipt = await bob.call("PUT", f"/conversations/{place}/receipt", {"read": 2})

    said = ["before", *(f"during {number}" for number in range(5))]
    assert [one["body"] for one in page] == said
    assert [one["body"] for one in synced["items"][0]["messages"]] == said[1:]
    assert inbox["items"][0]["lastMessage"]["body"] == said[-1]
    assert presence["items"] == [{"userId": ann.user_id, "status": "offline", "lastSeenAt": None}]
    assert receipt.status == 503
    assert receipt.json["retryAfterMs"] > 0


async def test_after_redis_receipts_are_acknowledged_as_before(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    place = await ann.direct(bob)

    async with down(world, "redis"):
        await ann.say(place)

    async def acknowledge() -> Reply:
        return await bob.call("PUT", f"/conversations/{place}/receipt", {"read": 1})

    reply = await eventually(acknowledge, lambda reply: reply.status == 200)
    assert reply.json["read"] == 1


async def test_with_signalr_down_a_send_is_stored_once_and_members_catch_up(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    place = await ann.direct(bob)
    hub = await bob.connect()
    await hub.invoke("heartbeat", {})
    message: dict[str, Any] = {"clientMessageId": str(uuid.uuid4()), "body": "once"}

    async with down(world, "signalr", "error", operation="rest"):
        statuses = [
            (await ann.post(place, **message, retry=attempt > 0)).status for attempt in range(3)
        ]
        assert await stored(world, place) == ["once"]
    last = await ann.post(place, **message, retry=True)

    assert all(status in {200, 201, 500} for status in statuses)
    assert last.status == 200
    assert await stored(world, place) == ["once"]
    beat = await hub.invoke("heartbeat", {})
    assert beat["activity"] >= 1  # so a client knows that it missed a push
    synced = await bob.good("POST", "/sync", {"positions": {}})
    assert [one["body"] for one in synced["items"][0]["messages"]] == ["once"]


async def test_with_the_bus_down_nobody_notices_and_notifications_follow(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    await subscribe(bob)
    place = await ann.direct(bob)

    async with down(world, "servicebus"):
        for number in range(3):
            assert (await ann.post(place, f"number {number}")).status == 201
        assert len(await bob.read(place)) == 3
        assert await notified(bob) == []

    # The feed function backs off while the queue is down, and the host's receiver reconnects.
    await eventually(lambda: notified(bob), lambda bodies: "number 2" in bodies, 40)


async def test_with_cosmos_down_senders_wait_and_nothing_acknowledged_is_lost(
    world: World,
) -> None:
    ann, bob = await world.people("ann", "bob")
    place = await ann.direct(bob)
    await ann.say(place, "before")

    async with down(world, "cosmos", "error", status=503):
        refused = await ann.post(place, "during")
        sending = asyncio.create_task(retried(ann, place, "held"))
        await asyncio.sleep(1)
        assert not sending.done()
    held = await sending

    assert refused.status == 503
    assert refused.json["code"] == "unavailable"
    assert refused.json["retryAfterMs"] > 0
    assert held.status in {200, 201}
    assert await stored(world, place) == ["before", "held"]


async def test_what_cosmos_throttles_says_when_to_come_back(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    place = await ann.direct(bob)
    await ann.say(place, "before")

    async with down(world, "cosmos", "error", status=429, operation="Create"):
        refused = await ann.post(place, "during")

    assert refused.status == 503
    assert refused.json["retryAfterMs"] > 0
    assert "retry-after" in refused.headers


async def test_with_blob_storage_down_messages_without_files_go_on(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    place = await ann.direct(bob)

    async with down(world, "blob"):
        assert (await ann.post(place, "no file")).status == 201
        asked = {"fileName": "a.png", "contentType": "image/png", "sizeBytes": 10}
        grant = await ann.call("POST", f"/conversations/{place}/attachments", asked)

    assert grant.status == 503
    assert [one["body"] for one in await bob.read(place)] == ["no file"]
