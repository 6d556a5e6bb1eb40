"""What nobody has to put up with: being put back, being reached round a block, being watched."""

import asyncio
from collections.abc import Iterable

import pytest

from shared.domain.errors import BlockedError, ForbiddenError
from shared.domain.events import Effect, Push, ReceiptAdvanced, ToUser
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from tests.integration.services.world import Worker, World, by, post, start, start_pair
from tests.unit.things import ANN, BOB, CAT, DAN


async def test_who_left_by_themselves_is_not_put_back(worker: Worker) -> None:
    group = (await start(worker, ANN, BOB, CAT)).conversation.id
    conversations = worker.chat.conversations
    await conversations.remove_member(by(BOB), group, user_id=BOB)

    with pytest.raises(ForbiddenError):
        await conversations.add_members(by(ANN), group, user_ids=[BOB])
    with pytest.raises(ForbiddenError):
        await conversations.add_members(by(ANN), group, user_ids=[DAN, BOB])

    added = await conversations.add_members(by(ANN), group, user_ids=[DAN])
    assert added.conversation.member_ids == (ANN, CAT, DAN)


async def test_who_was_removed_may_be_added_again_and_then_leave_for_good(worker: Worker) -> None:
    group = (await start(worker, ANN, BOB)).conversation.id
    conversations = worker.chat.conversations
    await conversations.remove_member(by(ANN), group, user_id=BOB)

    again = await conversations.add_members(by(ANN), group, user_ids=[BOB])
    await conversations.remove_member(by(BOB), group, user_id=BOB)

    assert BOB in again.conversation.member_ids
    with pytest.raises(ForbiddenError):
        await conversations.add_members(by(ANN), group, user_ids=[BOB])


@pytest.mark.parametrize(("blocker", "blocked"), [(BOB, CAT), (CAT, BOB)])
async def test_nobody_brings_two_together_of_whom_one_blocks_the_other(
    worker: Worker, blocker: UserId, blocked: UserId
) -> None:
    with_bob = (await start(worker, ANN, BOB)).conversation.id
    await worker.chat.accounts.block(by(blocker), blocked, blocked=True)

    with pytest.raises(BlockedError) as refused:
        await start(worker, ANN, BOB, CAT)
    with pytest.raises(BlockedError):
        await worker.chat.conversations.add_members(by(ANN), with_bob, user_ids=[CAT])

    assert not any(name in str(refused.value).lower() for name in (BOB, CAT, "bob", "cat"))
    added = await worker.chat.conversations.add_members(by(ANN), with_bob, user_ids=[DAN])
    assert added.conversation.member_ids == (ANN, BOB, DAN)


def _receipts(effects: Iterable[Effect], to: UserId) -> list[SequenceNumber]:
    return [
        receipt.read
        for one in effects
        if isinstance(one, Push) and one.to == ToUser(to) and isinstance(one.event, ReceiptAdvanced)
        for receipt in one.event.receipts
    ]


@pytest.mark.parametrize("blocker", [ANN, BOB])
async def test_across_a_block_nobody_is_told_that_the_other_reads(
    world: World, worker: Worker, blocker: UserId
) -> None:
    pair = (await start_pair(worker)).conversation.id
    await post(worker, pair, 1)
    other = BOB if blocker == ANN else ANN
    before = await _read(worker, pair)
    await worker.chat.accounts.block(by(blocker), other, blocked=True)
    await post_as_before(world, worker, pair)

    after = await _read(worker, pair)
    shown = await worker.chat.history.open(by(ANN), pair)
    own = await worker.chat.history.open(by(BOB), pair)
    await worker.chat.accounts.block(by(blocker), other, blocked=False)
    again = await worker.chat.history.open(by(ANN), pair)

    assert _receipts(before, ANN) == [1]
    assert _receipts(after, ANN) == []
    assert [(one.user_id, one.read, one.updated_at) for one in shown.receipts if one.read] == []
    assert [(one.user_id, one.read) for one in own.receipts if one.read] == [(BOB, 1)]
    assert [(one.user_id, one.read) for one in again.receipts if one.read] == [(BOB, 1)]


async def _read(worker: Worker, pair: ConversationId) -> list[Effect]:
    _, effects = await worker.chat.receipts.acknowledge(
        by(BOB, "tv"), pair, delivered=SequenceNumber(1), read=SequenceNumber(1)
    )
    return effects


async def post_as_before(world: World, worker: Worker, pair: ConversationId) -> None:
    """Take bob's watermark back, as if he had not read yet."""
    for hot in world.redis.data.conversations.values():
        hot.receipts.clear()


async def test_twenty_who_change_a_group_all_the_time_do_not_keep_somebody_in_it(
    world: World,
) -> None:
    workers = [world.worker() for _ in range(2)]
    group = (await start(workers[0], ANN, BOB, CAT)).conversation.id
    stop = False

    async def rename(number: int) -> None:
        count = 0
        while not stop:
            count += 1
            await workers[number % 2].chat.conversations.rename(
                by(ANN), group, title=f"{number}-{count}"
            )

    busy = [asyncio.create_task(rename(number)) for number in range(20)]
    await asyncio.sleep(0.5)
    removed = await workers[0].chat.conversations.remove_member(by(ANN), group, user_id=BOB)
    stop = True
    done = await asyncio.gather(*busy, return_exceptions=True)

    assert BOB not in removed.conversation.member_ids
    assert [one for one in done if one is not None] == []
