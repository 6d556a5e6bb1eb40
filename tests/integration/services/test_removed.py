"""Who was removed gets nothing more: whatever a worker still has, and whatever Redis lost."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shared.domain.errors import ChatError, NotFoundError
from shared.domain.ids import ConversationId, SequenceNumber
from shared.services.conversations import conversation_cache as caches
from tests.integration.services.world import Worker, World, by, post, start
from tests.unit.things import ANN, BOB, CAT

type Use = Callable[[Worker, ConversationId], Awaitable[Any]]


async def _open(worker: Worker, group: ConversationId) -> None:
    await worker.chat.history.open(by(BOB), group)


async def _read(worker: Worker, group: ConversationId) -> None:
    await worker.chat.history.list_messages(by(BOB), group, before=None, after=None, limit=9)


async def _post(worker: Worker, group: ConversationId) -> None:
    await post(worker, group, 77, BOB)


async def _type(worker: Worker, group: ConversationId) -> None:
    await worker.chat.typing.set_typing(by(BOB), group, typing=True)


async def _acknowledge(worker: Worker, group: ConversationId) -> None:
    await worker.chat.receipts.acknowledge(
        by(BOB), group, delivered=SequenceNumber(1), read=SequenceNumber(1)
    )


async def _acknowledge_beyond(worker: Worker, group: ConversationId) -> None:
    await worker.chat.receipts.acknowledge(by(BOB), group, delivered=SequenceNumber(99), read=None)


USES: list[Use] = [_open, _read, _post, _type, _acknowledge, _acknowledge_beyond]


async def group_that_another_worker_knows(
    world: World, worker: Worker
) -> tuple[ConversationId, Worker]:
    group = (await start(worker, ANN, BOB, CAT)).conversation.id
    await post(worker, group, 1)
    stale = world.worker()
    await _read(stale, group)
    return group, stale


@pytest.mark.parametrize("use", USES)
async def test_nothing_gets_through_a_stale_worker_when_redis_is_emptied(
    world: World, worker: Worker, use: Use
) -> None:
    group, stale = await group_that_another_worker_knows(world, worker)
    await worker.chat.conversations.remove_member(by(ANN), group, user_id=BOB)
    world.redis.flush()

    replies = await asyncio.gather(*(use(stale, group) for _ in range(4)), return_exceptions=True)

    assert [type(reply) for reply in replies] == [NotFoundError] * 4
    assert [one.sender_id for one in world.stored(group)] == [ANN, ANN]


@pytest.mark.parametrize("use", USES)
async def test_nothing_gets_through_a_stale_worker_while_redis_is_down(
    world: World, worker: Worker, use: Use
) -> None:
    group, stale = await group_that_another_worker_knows(world, worker)
    world.redis_link.down = True
    await worker.chat.conversations.remove_member(by(ANN), group, user_id=BOB)

    replies = await asyncio.gather(*(use(stale, group) for _ in range(4)), return_exceptions=True)

    assert all(isinstance(reply, ChatError) for reply in replies), replies
    assert [one.sender_id for one in world.stored(group)] == [ANN, ANN]


@pytest.mark.parametrize("use", USES)
async def test_a_copy_from_before_an_outage_lets_nobody_in_after_it(
    world: World, worker: Worker, use: Use
) -> None:
    group, stale = await group_that_another_worker_knows(world, worker)
    world.redis_link.down = True
    await asyncio.gather(_open(stale, group), return_exceptions=True)
    await worker.chat.conversations.remove_member(by(ANN), group, user_id=BOB)
    world.redis_link.down = False  # with the version of before the removal

    with pytest.raises(NotFoundError):
        await use(stale, group)


async def test_an_inbox_and_a_sync_show_nothing_of_what_was_left(
    world: World, worker: Worker
) -> None:
    group, stale = await group_that_another_worker_knows(world, worker)
    await stale.chat.inbox.list_conversations(by(BOB), limit=9, after=None)
    # A crash between the conversation and what follows from it.
    world.memberships.link.fail("remove")
    removal = worker.chat.conversations.remove_member(by(ANN), group, user_id=BOB)
    await asyncio.gather(removal, return_exceptions=True)
    world.redis.flush()

    inbox = await stale.chat.inbox.list_conversations(by(BOB), limit=9, after=None)
    answer = await stale.chat.sync.sync(by(BOB), {}, limit=9, since=None)

    assert (inbox.items, answer.items) == ([], [])


async def test_a_new_member_acknowledges_through_a_worker_that_knew_the_group_without_them(
    world: World, worker: Worker
) -> None:
    group = (await start(worker, ANN, CAT)).conversation.id
    stale = world.worker()
    await post(stale, group, 1)
    await worker.chat.conversations.add_members(by(ANN), group, user_ids=[BOB])

    receipt, _ = await stale.chat.receipts.acknowledge(
        by(BOB), group, delivered=SequenceNumber(2), read=None
    )

    assert receipt.delivered == 2


async def test_a_send_without_redis_costs_two_reads_and_the_write(
    world: World, worker: Worker
) -> None:
    group = (await start(worker, ANN, BOB)).conversation.id
    await post(worker, group, 1)
    world.redis_link.down = True
    await post(worker, group, 2)
    for link in (worker.conversations.link, worker.messages.link):
        link.calls.clear()

    await post(worker, group, 3)

    assert dict(worker.conversations.link.calls) == {"find_with_state": 1}
    assert dict(worker.messages.link.calls) == {"find_newest": 1, "append": 1}


async def test_a_reader_that_lags_does_not_replace_the_newer_copy_it_has(
    world: World, worker: Worker
) -> None:
    group, _ = await group_that_another_worker_knows(world, worker)
    await worker.chat.conversations.remove_member(by(ANN), group, user_id=BOB)
    reader = worker.chat.history.reader
    removed = await worker.conversations.find(group)
    assert removed is not None

    for old in world.conversation_table.logs[group]:
        assert reader.keep(old.conversation) == removed

    assert await reader.find(group, version=0) == removed


def test_a_copy_is_used_for_a_minute_at_most() -> None:
    assert caches._BELIEVED_S <= 60
