"""A Redis that comes back older: nobody is told that all is there while something is not."""

import pytest

from shared.domain.conversations.inbox import InboxItem
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.services.inbox.sync import SyncItem
from tests.integration.services.world import Worker, World, by, post, sequence, start
from tests.unit.things import ANN, BOB, CAT

workers_too = pytest.mark.parametrize("new_workers", [False, True], ids=["alive", "all new"])


def survivor(world: World, worker: Worker, *, new_workers: bool) -> Worker:
    """Return a worker that lived on, or one that came when all had died."""
    return world.worker() if new_workers else worker


async def sync(worker: Worker, user: UserId, **positions: int) -> dict[str, SyncItem]:
    given = {ConversationId(one): SequenceNumber(at) for one, at in positions.items()}
    answer = await worker.chat.sync.sync(by(user), given, limit=100, since=None)
    assert not answer.more
    return {item.conversation_id: item for item in answer.items}


async def inbox(worker: Worker, user: UserId) -> dict[str, InboxItem]:
    page = await worker.chat.inbox.list_conversations(by(user), limit=50, after=None)
    return {item.row.conversation.id: item for item in page.items}


async def read(worker: Worker, place: ConversationId, user: UserId, up_to: int) -> None:
    await worker.chat.receipts.acknowledge(
        by(user), place, delivered=sequence(up_to), read=sequence(up_to)
    )


@workers_too
async def test_messages_of_a_quiet_conversation_are_there(
    world: World, worker: Worker, new_workers: bool
) -> None:
    place = (await start(worker, ANN, BOB)).conversation.id
    for number in range(1, 4):
        await post(worker, place, number)
    await inbox(worker, BOB)
    older = world.redis.snapshot()
    for number in range(4, 15):
        await post(worker, place, number)

    world.redis.restore(older)
    worker = survivor(world, worker, new_workers=new_workers)

    item = (await sync(worker, BOB, **{place: 3}))[place]
    assert [message.sequence for message, _ in item.messages] == list(range(4, 15))
    assert item.complete
    shown = (await inbox(worker, BOB))[place]
    assert shown.row.last
    assert (shown.row.last.sequence, shown.unread_count) == (14, 14)


@workers_too
async def test_the_inbox_alone_tells_it_too(
    world: World, worker: Worker, new_workers: bool
) -> None:
    places = [(await start(worker, ANN, BOB)).conversation.id for _ in range(3)]
    for place in places:
        await post(worker, place, 1)
    before = await inbox(worker, BOB)
    older = world.redis.snapshot()
    world.clock.advance(60)
    await post(worker, places[0], 2)

    world.redis.restore(older)
    worker = survivor(world, worker, new_workers=new_workers)

    now = await inbox(worker, BOB)
    assert next(iter(before)) != places[0]
    assert next(iter(now)) == places[0]  # newest activity first


@workers_too
async def test_a_conversation_made_since_is_there(
    world: World, worker: Worker, new_workers: bool
) -> None:
    old = (await start(worker, ANN, BOB)).conversation.id
    await inbox(worker, BOB)
    older = world.redis.snapshot()
    new = (await start(worker, ANN, BOB)).conversation.id
    await post(worker, new, 1)

    world.redis.restore(older)
    worker = survivor(world, worker, new_workers=new_workers)

    assert set(await inbox(worker, BOB)) == {old, new}
    item = (await sync(worker, BOB, **{old: 0}))[new]
    assert (item.latest, len(item.messages), item.complete) == (1, 1, True)


@workers_too
async def test_who_was_removed_since_is_out_and_who_was_added_is_in(
    world: World, worker: Worker, new_workers: bool
) -> None:
    place = (await start(worker, ANN, BOB)).conversation.id
    await inbox(worker, BOB)
    await inbox(worker, CAT)
    older = world.redis.snapshot()
    await worker.chat.conversations.remove_member(by(ANN), place, user_id=BOB)
    await worker.chat.conversations.add_members(by(ANN), place, user_ids=[CAT])

    world.redis.restore(older)
    worker = survivor(world, worker, new_workers=new_workers)

    assert set(await inbox(worker, BOB)) == set()
    assert set(await inbox(worker, CAT)) == {place}
    assert set(await sync(worker, BOB)) == set()
    assert set(await sync(worker, CAT)) == {place}


@workers_too
async def test_receipts_that_were_flushed_do_not_fall_back(
    world: World, worker: Worker, new_workers: bool
) -> None:
    place = (await start(worker, ANN, BOB)).conversation.id
    for number in range(1, 6):
        await post(worker, place, number)
    older = world.redis.snapshot()
    await read(worker, place, BOB, 5)
    await worker.chat.receipt_flush.flush()

    world.redis.restore(older)
    worker = survivor(world, worker, new_workers=new_workers)

    assert (await inbox(worker, BOB))[place].unread_count == 0
    assert [status for _, status in (await sync(worker, ANN))[place].messages] == ["read"] * 5


@workers_too
async def test_a_restart_without_a_loss_loses_no_receipt_that_was_not_flushed(
    world: World, worker: Worker, new_workers: bool
) -> None:
    place = (await start(worker, ANN, BOB)).conversation.id
    for number in range(1, 6):
        await post(worker, place, number)
    await read(worker, place, BOB, 4)

    world.redis.restore(world.redis.snapshot())
    worker = survivor(world, worker, new_workers=new_workers)

    assert (await inbox(worker, BOB))[place].unread_count == 1
    assert (await sync(worker, BOB))[place].receipt.read == 4
    await worker.chat.receipt_flush.flush()
    world.redis.flush()
    assert (await inbox(worker, BOB))[place].unread_count == 1


async def test_each_older_redis_is_recognised(world: World, worker: Worker) -> None:
    place = (await start(worker, ANN, BOB)).conversation.id
    older = world.redis.snapshot()
    for number in range(1, 5):
        await post(worker, place, number)
        world.redis.restore(older)

        assert (await sync(worker, BOB))[place].latest == number


async def test_an_older_redis_costs_what_an_empty_one_does_and_then_nothing(
    world: World, worker: Worker
) -> None:
    place = (await start(worker, ANN, BOB)).conversation.id
    await post(worker, place, 1)
    await inbox(worker, BOB)
    world.redis.restore(world.redis.snapshot())

    await inbox(worker, BOB)
    worker.conversations.link.calls.clear()
    worker.messages.link.calls.clear()
    await inbox(worker, BOB)
    await sync(worker, BOB, **{place: 1})

    calls = worker.conversations.link.calls + worker.messages.link.calls
    assert not {"find", "find_with_state", "find_newest", "list_range"} & set(calls)
