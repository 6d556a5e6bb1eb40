"""Two worker processes, each with a cache of its own: what one changes, the other heeds at once."""

import asyncio

import pytest

from tests.integration.app.people import World, code_of

pytestmark = pytest.mark.stack

# Calls go to the workers in turn; so many at once meet both.
TIMES = 8


async def test_who_is_removed_is_out_for_every_worker_at_once(small: World) -> None:
    ann, bob = await small.people("ann", "bob")
    conversation_id = await ann.group(bob)
    await asyncio.gather(*(bob.say(conversation_id) for _ in range(TIMES)))

    await ann.good("DELETE", f"/conversations/{conversation_id}/members/{bob.user_id}")
    replies = await asyncio.gather(*(bob.post(conversation_id) for _ in range(TIMES)))

    assert {(reply.status, code_of(reply)) for reply in replies} == {(404, "not_found")}


async def test_who_is_added_is_in_for_every_worker_at_once(small: World) -> None:
    ann, bob = await small.people("ann", "bob")
    conversation_id = await ann.group()
    await asyncio.gather(*(ann.say(conversation_id) for _ in range(TIMES)))

    await ann.good("POST", f"/conversations/{conversation_id}/members", {"userIds": [bob.user_id]})
    replies = await asyncio.gather(*(bob.post(conversation_id) for _ in range(TIMES)))

    assert {reply.status for reply in replies} == {201}


async def test_a_block_and_its_end_hold_for_every_worker_at_once(small: World) -> None:
    ann, bob = await small.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    await asyncio.gather(*(ann.say(conversation_id) for _ in range(TIMES)))

    await bob.good("PUT", f"/blocks/{ann.user_id}")
    blocked = await asyncio.gather(*(ann.post(conversation_id) for _ in range(TIMES)))
    await bob.good("DELETE", f"/blocks/{ann.user_id}")
    lifted = await asyncio.gather(*(ann.post(conversation_id) for _ in range(TIMES)))

    assert {reply.status for reply in blocked} == {403}
    assert {reply.status for reply in lifted} == {201}


async def test_a_limit_is_one_for_all_workers(small: World) -> None:
    ann = await small.person("ann")
    asked = {"kind": "group", "memberIds": []}

    replies = await asyncio.gather(*(ann.call("POST", "/conversations", asked) for _ in range(40)))

    statuses = [reply.status for reply in replies]
    assert set(statuses) == {201, 429}
    assert 30 <= statuses.count(201) <= 33


async def test_a_receipt_taken_by_one_worker_is_seen_by_the_other(small: World) -> None:
    ann, bob = await small.people("ann", "bob")
    conversation_id = await ann.direct(bob)

    for number in range(1, TIMES + 1):
        await ann.say(conversation_id)
        await bob.acknowledge(conversation_id, read=number)
        page = await ann.read(conversation_id, "limit=1")

        assert (page[0]["sequence"], page[0]["status"]) == (number, "read")
