"""Acknowledging: at once into live state, a few seconds later into the store."""

from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.errors import (
    NotFoundError,
    RateLimitedError,
    SequenceOutOfRangeError,
    UnavailableError,
)
from shared.domain.events import PresenceChanged, Push, ReceiptAdvanced, ToGroup, ToUser
from shared.domain.ids import ConversationId, UserId
from shared.domain.limits import Limit
from shared.domain.messages.receipt import Receipt
from tests.integration.services.world import (
    Worker,
    World,
    by,
    post,
    pushed,
    run,
    sequence,
    start,
    start_pair,
)
from tests.unit.things import ANN, BOB, CAT, GROUP


async def acknowledge(
    worker: Worker,
    conversation_id: ConversationId,
    user: UserId = BOB,
    *,
    delivered: int | None = None,
    read: int | None = None,
) -> Receipt:
    receipt, _ = await worker.chat.receipts.acknowledge(
        by(user),
        conversation_id,
        delivered=None if delivered is None else sequence(delivered),
        read=None if read is None else sequence(read),
    )
    return receipt


async def pair_with(worker: Worker, messages: int) -> ConversationId:
    conversation = (await start_pair(worker)).conversation
    for number in range(messages):
        await post(worker, conversation.id, number)
    return conversation.id


async def stored_receipts(worker: Worker, conversation_id: ConversationId) -> dict[str, int]:
    found = await worker.conversations.find_with_state(conversation_id)
    assert found is not None
    return {one.user_id: one.read for one in found[1].receipts}


async def test_watermarks_move_forward_only(worker: Worker) -> None:
    conversation_id = await pair_with(worker, 5)

    moved = await acknowledge(worker, conversation_id, delivered=4, read=2)
    late = await acknowledge(worker, conversation_id, delivered=3, read=1)
    further = await acknowledge(worker, conversation_id, read=5)

    assert (moved.delivered, moved.read) == (4, 2)
    assert late == moved
    assert (further.delivered, further.read) == (5, 5)


async def test_a_pair_is_told_at_once_and_a_repeat_tells_nobody(worker: Worker) -> None:
    conversation_id = await pair_with(worker, 1)

    receipt, effects = await worker.chat.receipts.acknowledge(
        by(BOB, "tv"), conversation_id, delivered=sequence(1), read=None
    )
    _, again = await worker.chat.receipts.acknowledge(
        by(BOB, "tv"), conversation_id, delivered=sequence(1), read=None
    )

    assert Push(ReceiptAdvanced((receipt,)), ToUser(ANN)) in effects
    assert pushed(again) == []


async def test_ones_own_other_devices_are_told_too(worker: Worker) -> None:
    conversation_id = await pair_with(worker, 1)
    await worker.chat.connections.connected(by(BOB, "tv"), "tv")  # type: ignore[arg-type]

    receipt, effects = await worker.chat.receipts.acknowledge(
        by(BOB, "phone"), conversation_id, delivered=None, read=sequence(1)
    )

    event = ReceiptAdvanced((receipt,))
    assert effects == [Push(event, ToUser(ANN)), Push(event, ToUser(BOB))]


@pytest.mark.parametrize(("delivered", "read"), [(2, None), (None, 2), (9, 1)])
async def test_what_is_not_there_cannot_be_acknowledged(
    worker: Worker, delivered: int | None, read: int | None
) -> None:
    conversation_id = await pair_with(worker, 1)

    with pytest.raises(SequenceOutOfRangeError):
        await acknowledge(worker, conversation_id, delivered=delivered, read=read)


async def test_what_live_state_does_not_know_of_may_be_acknowledged(
    world: World, worker: Worker
) -> None:
    conversation_id = await pair_with(worker, 1)
    world.redis_link.fail("record_sent")
    await post(worker, conversation_id, 2)

    receipt = await acknowledge(world.worker(), conversation_id, read=2)

    assert receipt.read == 2


async def test_a_stranger_acknowledges_nothing(worker: Worker) -> None:
    conversation_id = await pair_with(worker, 1)

    with pytest.raises(NotFoundError):
        await acknowledge(worker, conversation_id, CAT, read=1)
    with pytest.raises(NotFoundError):
        await acknowledge(worker, GROUP, BOB, read=1)


async def test_who_was_removed_acknowledges_no_more_on_any_worker(
    world: World, worker: Worker
) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation
    await post(worker, conversation.id, 1)
    other = world.worker()
    await acknowledge(other, conversation.id, BOB, delivered=1)
    await worker.chat.conversations.remove_member(by(ANN), conversation.id, user_id=BOB)

    with pytest.raises(NotFoundError):
        await acknowledge(other, conversation.id, BOB, read=1)


async def test_a_lost_live_state_is_filled_from_the_store(world: World, worker: Worker) -> None:
    conversation_id = await pair_with(worker, 3)
    await acknowledge(worker, conversation_id, read=2)
    await worker.chat.receipt_flush.flush()
    world.redis.flush()

    receipt = await acknowledge(world.worker(), conversation_id, delivered=3)

    assert (receipt.delivered, receipt.read) == (3, 2)


async def test_acknowledging_waits_for_live_state(world: World, worker: Worker) -> None:
    conversation_id = await pair_with(worker, 1)
    world.redis_link.down = True

    with pytest.raises(UnavailableError):
        await acknowledge(worker, conversation_id, read=1)


async def test_a_conversation_that_live_state_always_loses_is_unavailable(
    world: World, worker: Worker
) -> None:
    conversation_id = await pair_with(worker, 1)

    async def lose(name: str) -> None:
        if name == "acknowledge":
            world.redis.flush()

    world.redis_link.pause = lose

    with pytest.raises(UnavailableError):
        await acknowledge(worker, conversation_id, read=1)


async def test_an_acknowledgement_takes_one_token_however_often_it_looks(
    world: World, worker: Worker
) -> None:
    conversation_id = await pair_with(worker, 1)
    call = replace(by(BOB), limit=("other", Limit(per_second=0.1, burst=1)))
    await worker.chat.accounts.people.set_block(ANN, BOB, blocked=True)
    stale = world.worker()
    await acknowledge(stale, conversation_id, delivered=1)
    await worker.chat.accounts.people.set_block(ANN, BOB, blocked=False)

    receipt, _ = await stale.chat.receipts.acknowledge(
        call, conversation_id, delivered=None, read=sequence(1)
    )

    assert receipt.read == 1
    with pytest.raises(RateLimitedError):
        await stale.chat.receipts.acknowledge(
            call, conversation_id, delivered=None, read=sequence(1)
        )


async def test_the_news_that_somebody_is_there_is_told_however_often_it_looks(
    world: World, worker: Worker
) -> None:
    conversation_id = await pair_with(worker, 1)
    world.redis.flush()

    _, effects = await world.worker().chat.receipts.acknowledge(
        by(BOB, "tv"), conversation_id, delivered=sequence(1), read=None
    )

    told = [one.event for one in pushed(effects) if isinstance(one.event, PresenceChanged)]
    assert [one.presences[0].status for one in told] == ["online"]


async def test_a_flush_writes_each_changed_conversation_once(world: World, worker: Worker) -> None:
    group = (await start(worker, ANN, BOB, CAT)).conversation
    await post(worker, group.id, 1)
    quiet = (await start(worker, ANN, BOB)).conversation
    for user in (BOB, CAT):
        await acknowledge(worker, group.id, user, delivered=1)
        await acknowledge(worker, group.id, user, read=1)

    effects = await worker.chat.receipt_flush.flush()
    again = await world.worker().chat.receipt_flush.flush()

    assert worker.conversations.link.calls["save_state"] == 1
    assert await stored_receipts(worker, group.id) == {ANN: 1, BOB: 1, CAT: 1}
    assert await stored_receipts(worker, quiet.id) == {}
    (told,) = pushed(effects)
    assert told.to == ToGroup(group.id)
    assert isinstance(told.event, ReceiptAdvanced)
    assert {one.user_id for one in told.event.receipts} == {ANN, BOB, CAT}
    assert again == []


async def test_a_live_state_that_went_back_in_time_takes_no_watermark_back(
    world: World, worker: Worker
) -> None:
    conversation_id = await pair_with(worker, 3)
    await acknowledge(worker, conversation_id, read=1)
    await worker.chat.receipt_flush.flush()
    older = deepcopy(world.redis.data)
    await acknowledge(worker, conversation_id, read=3)
    await worker.chat.receipt_flush.flush()
    world.redis.data = older  # as a replica that lags takes over, or an old file is read
    await post(worker, conversation_id, 4)

    await worker.chat.receipt_flush.flush()  # sees that it does not follow what is recorded
    await worker.chat.receipt_flush.flush()

    assert await stored_receipts(worker, conversation_id) == {ANN: 4, BOB: 3}
    ((_, live),) = await worker.chat.receipts.live.receipts([conversation_id])
    assert live[BOB].read == 3


async def test_a_conversation_set_aside_is_merged_before_it_is_flushed_again(
    world: World, worker: Worker
) -> None:
    conversation_id = await pair_with(worker, 3)
    await worker.chat.receipt_flush.flush()
    older = deepcopy(world.redis.data)
    await acknowledge(worker, conversation_id, read=3)
    await worker.chat.receipt_flush.flush()
    world.redis.data = older
    await post(worker, conversation_id, 4)

    await worker.chat.receipt_flush.flush_again(conversation_id)

    assert await stored_receipts(worker, conversation_id) == {ANN: 4, BOB: 3}
    assert await world.live.dirty_conversations(limit=10) == []


async def test_a_conversation_that_still_cannot_be_flushed_says_so(worker: Worker) -> None:
    conversation_id = await pair_with(worker, 1)
    worker.conversations.link.down = True

    with pytest.raises(UnavailableError):
        await worker.chat.receipt_flush.flush_again(conversation_id)


async def test_a_group_hears_of_receipts_whose_flush_is_put_off(worker: Worker) -> None:
    group = (await start(worker, ANN, BOB)).conversation
    await post(worker, group.id, 1)
    worker.conversations.link.fail("save_state")

    (told,) = pushed(await worker.chat.receipt_flush.flush())
    again = await worker.chat.receipt_flush.flush()

    assert told.to == ToGroup(group.id)
    assert again == []
    assert await stored_receipts(worker, group.id) == {ANN: 1}


async def test_a_flush_tells_no_pair_twice(worker: Worker) -> None:
    conversation_id = await pair_with(worker, 1)
    await acknowledge(worker, conversation_id, read=1)

    assert await worker.chat.receipt_flush.flush() == []


async def test_a_flush_does_not_tell_of_who_left(worker: Worker) -> None:
    group = (await start(worker, ANN, BOB, CAT)).conversation
    await post(worker, group.id, 1, CAT)
    await worker.chat.conversations.remove_member(by(ANN), group.id, user_id=CAT)

    (told,) = pushed(await worker.chat.receipt_flush.flush())

    assert isinstance(told.event, ReceiptAdvanced)
    assert {one.user_id for one in told.event.receipts} == {ANN}


async def test_one_conversation_that_fails_does_not_stop_the_others(worker: Worker) -> None:
    one = (await start(worker, ANN, BOB)).conversation
    other = (await start(worker, ANN, CAT)).conversation
    for conversation in (one, other):
        await post(worker, conversation.id, 1)
    worker.conversations.link.fail("save_state")

    await worker.chat.receipt_flush.flush()
    saved = [await stored_receipts(worker, each.id) for each in (one, other)]
    await worker.chat.receipt_flush.flush()

    assert sorted(saved, key=len) == [{}, {ANN: 1}]
    assert await stored_receipts(worker, one.id) == {ANN: 1}
    assert await stored_receipts(worker, other.id) == {ANN: 1}


async def test_what_changes_during_a_flush_is_flushed_by_the_next(
    world: World, worker: Worker
) -> None:
    conversation_id = await pair_with(worker, 2)
    worker.conversations.link.pause = meanwhile = _Meanwhile(world, conversation_id)

    await worker.chat.receipt_flush.flush()

    assert meanwhile.done
    assert (await stored_receipts(worker, conversation_id)).get(BOB) is None
    await worker.chat.receipt_flush.flush()
    assert (await stored_receipts(worker, conversation_id))[BOB] == 2


class _Meanwhile:
    def __init__(self, world: World, conversation_id: ConversationId) -> None:
        self.done = False
        self._world = world
        self._conversation_id = conversation_id

    async def __call__(self, name: str) -> None:
        if name == "save_state" and not self.done:
            self.done = True
            await acknowledge(self._world.worker(), self._conversation_id, read=2)


@pytest.mark.parametrize("call", ["dirty_conversations", "snapshots", "flushed"])
async def test_a_flush_without_live_state_is_put_off(
    world: World, worker: Worker, call: str
) -> None:
    conversation_id = await pair_with(worker, 1)
    world.redis_link.fail(call)

    await worker.chat.receipt_flush.flush()
    await worker.chat.receipt_flush.flush()

    assert await stored_receipts(worker, conversation_id) == {ANN: 1}


async def test_what_live_state_has_lost_is_not_flushed_over_what_is_stored(
    world: World, worker: Worker
) -> None:
    conversation_id = await pair_with(worker, 2)
    await acknowledge(worker, conversation_id, read=2)
    await worker.chat.receipt_flush.flush()
    world.redis.flush()
    message = world.stored(conversation_id)[1]
    await world.live.record_sent(message, [ANN, BOB])

    await worker.chat.receipt_flush.flush()

    assert await stored_receipts(worker, conversation_id) == {ANN: 2, BOB: 2}


async def test_a_group_that_cannot_be_read_is_told_later(world: World, worker: Worker) -> None:
    group = (await start(worker, ANN, BOB)).conversation
    await post(worker, group.id, 1)
    other = world.worker()
    other.conversations.link.fail("find")

    assert await other.chat.receipt_flush.flush() == []
    assert await stored_receipts(worker, group.id) == {ANN: 1}


acknowledgements = st.tuples(
    st.sampled_from([ANN, BOB]), st.integers(0, 4), st.integers(0, 4), st.integers(0, 2)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(acknowledgements, max_size=12))
def test_any_order_of_acknowledgements_flushes_and_losses_ends_at_the_maximum(
    asked: list[tuple[UserId, int, int, int]],
) -> None:
    async def check() -> None:
        world = World()
        workers = [world.worker(), world.worker()]
        conversation_id = await pair_with(workers[0], 4)
        await workers[0].chat.receipt_flush.flush()
        highest: dict[UserId, tuple[int, int]] = {ANN: (4, 4), BOB: (0, 0)}
        for user, delivered, read, then in asked:
            await acknowledge(
                workers[then % 2], conversation_id, user, delivered=delivered, read=read
            )
            before = highest[user]
            highest[user] = max(before[0], delivered, read), max(before[1], read)
            if then:
                await workers[0].chat.receipt_flush.flush()
            if then == 2:
                world.redis.flush()

        opened = await workers[1].chat.history.open(by(ANN), conversation_id)

        assert {r.user_id: (r.delivered, r.read) for r in opened.receipts} == highest

    run(check())
