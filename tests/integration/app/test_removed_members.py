"""Who was removed is out at once, through every worker: with Redis emptied, or away."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.hub import Hub
from tests.integration.app.people import Person, World, eventually
from tests.integration.app.test_restart import connect, insist
from tests.stack import Reply

pytestmark = pytest.mark.stack

TIMES = 8  # calls go to the two workers in turn


@pytest.fixture
async def faulty(small: World) -> AsyncIterator[World]:
    """Give the stack of two workers, whose faults are taken back afterwards."""
    try:
        yield small
    finally:
        await small.call("DELETE", "/dev/faults")


async def _group_known_to_all_workers(ann: Person, bob: Person) -> str:
    conversation_id = await ann.group(bob)
    await asyncio.gather(*(bob.say(conversation_id) for _ in range(TIMES)))
    return conversation_id


async def _remove(ann: Person, bob: Person, conversation_id: str) -> None:
    path = f"/conversations/{conversation_id}/members/{bob.user_id}"
    assert (await ann.call("DELETE", path)).status == 204


async def _still_open(hubs: list[Hub]) -> int:
    return sum(hub.is_open for hub in hubs)


async def _everything(person: Person, conversation_id: str) -> list[int]:
    """Read and post many times at once; return the statuses."""
    calls = [person.post(conversation_id) for _ in range(TIMES)]
    for what in ("", "/messages"):
        calls += [person.call("GET", f"/conversations/{conversation_id}{what}") for _ in range(4)]
    replies: list[Reply] = await asyncio.gather(*calls)
    return [reply.status for reply in replies]


async def test_who_is_removed_is_out_though_redis_is_emptied_right_after(small: World) -> None:
    ann, bob = await small.people("ann", "bob")
    redis = Redis(host="127.0.0.1", port=small.stack.ports.redis_server)

    for _ in range(3):
        conversation_id = await _group_known_to_all_workers(ann, bob)
        await _remove(ann, bob, conversation_id)
        await redis.flushall()
        assert set(await _everything(bob, conversation_id)) == {404}
    await redis.aclose()


async def test_who_is_removed_is_out_while_redis_is_away_and_after_it(faulty: World) -> None:
    ann, bob = await faulty.people("ann", "bob")
    conversation_id = await _group_known_to_all_workers(ann, bob)
    asked = {"service": "redis", "kind": "drop"}
    assert (await faulty.call("POST", "/dev/faults", asked)).status == 200

    await _remove(ann, bob, conversation_id)
    during = await _everything(bob, conversation_id)
    assert (await faulty.call("DELETE", "/dev/faults")).status == 204
    after = await _everything(bob, conversation_id)

    assert {*during, *after} <= {404, 429, 503}
    reply = await insist(lambda: bob.call("GET", f"/conversations/{conversation_id}"))
    assert reply.status == 404
    said = await insist(lambda: ann.call("GET", f"/conversations/{conversation_id}/messages"))
    senders = [item["senderId"] for item in said.json["items"]]
    assert senders == [bob.user_id] * TIMES + [ann.user_id]


async def test_a_removal_and_a_block_reach_everyone_though_connections_were_lost(
    small: World,
) -> None:
    ann, bob, cyd = await small.people("ann", "bob", "cyd")
    conversation_id = await ann.group(bob, cyd)
    lost = [await connect(person) for person in (bob, cyd)]
    # The service ends without a word to the app: connections stay noted for a lease of 5 minutes.
    await small.stack.kill("signalr")
    await eventually(lambda: _still_open(lost), lambda count: count == 0)
    of_bob, of_cyd = await connect(bob), await connect(cyd)
    # A connection that Redis could not note, after the tests before this one, is noted by these.
    for hub in (of_bob, of_cyd):
        await hub.invoke("heartbeat", {})
    await of_bob.invoke("watchPresence", {"userIds": [cyd.user_id]})

    await _remove(ann, bob, conversation_id)
    blocked = await cyd.call("PUT", f"/blocks/{bob.user_id}")
    await ann.say(conversation_id, "for those who are in")

    assert blocked.status == 204
    mine = {"conversationId": conversation_id}
    await of_bob.wait_for("conversationRemoved", lambda it: it == mine)
    changed = await of_cyd.wait_for("conversationChanged")
    assert [one["userId"] for one in changed["conversation"]["members"]] == [
        ann.user_id,
        cyd.user_id,
    ]
    for text in ("Ann removed Bob", "for those who are in"):
        await of_cyd.wait_for("messagePosted", lambda it, text=text: it["message"]["body"] == text)
    # What is pushed to one's own connections comes after all that: then nothing was missed.
    await bob.say(await bob.direct(ann), "to ann alone")
    await of_bob.wait_for("messagePosted", lambda it: it["message"]["body"] == "to ann alone")
    assert [it["message"]["body"] for it in of_bob.heard("messagePosted")] == ["to ann alone"]
