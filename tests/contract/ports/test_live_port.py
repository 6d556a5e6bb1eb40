"""What live state promises, whoever keeps it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.conversations.group_memberships import GroupMembership
from shared.domain.conversations.mute import UNSAID, Mute
from shared.domain.ids import ConnectionId, ConversationId, SequenceNumber, UserId
from shared.domain.limits import Limit
from shared.domain.live import Head
from shared.domain.messages.receipt import Receipt
from shared.domain.times import to_ms
from shared.ports import Acknowledged, Call, InboxEntry
from tests.contract.ports.ends import LiveEnd
from tests.unit.things import ANN, BOB, CAT, GROUP, NOON, attachment, group, message, receipt

OTHER = ConversationId("g-" + "2" * 32)
LATER = NOON + timedelta(minutes=1)


def sequence(number: int) -> SequenceNumber:
    return SequenceNumber(number)


async def acknowledge(
    end: LiveEnd, user: UserId = BOB, *, delivered: int = 0, read: int = 0, version: int = 1
) -> Acknowledged:
    _, done = await end.live.acknowledge(
        Call(user),
        group(version=version),
        delivered=sequence(delivered),
        read=sequence(read),
        now=LATER,
    )
    return done


async def test_a_new_conversation_is_not_known(end: LiveEnd) -> None:
    assert await end.live.head(GROUP) == Head()
    assert await end.live.receipts([GROUP]) == [(Head(), {})]
    _, head = await end.live.enter_conversation(Call(ANN), GROUP)
    assert not head.is_cached


async def test_seeding_makes_a_conversation_known(end: LiveEnd) -> None:
    known = [receipt(BOB, delivered=7, read=3, at=LATER), receipt(CAT)]

    await end.seed(group(version=4), message(9, at=LATER), known)

    head = Head(is_cached=True, sequence=sequence(9), version=4, at=LATER)
    assert await end.live.head(GROUP) == head
    ((seen, receipts),) = await end.live.receipts([GROUP])
    assert (seen, receipts[BOB]) == (head, known[0])
    assert receipts.get(CAT, receipt(CAT)) == receipt(CAT)


async def test_an_empty_conversation_was_last_active_at_its_start(end: LiveEnd) -> None:
    await end.seed(group(), None, ())

    assert await end.live.head(GROUP) == Head(is_cached=True, version=1, at=NOON)


async def test_seeding_again_never_moves_anything_back(end: LiveEnd) -> None:
    await end.seed(group(version=4), message(9, at=LATER), [receipt(BOB, delivered=7, read=7)])

    await end.seed(group(version=2), message(5), [receipt(BOB, delivered=8, read=1)])

    assert await end.live.head(GROUP) == Head(True, sequence(9), 4, LATER)
    ((_, receipts),) = await end.live.receipts([GROUP])
    assert (receipts[BOB].delivered, receipts[BOB].read) == (8, 7)
    (summary,) = await end.live.summaries(BOB, [GROUP])
    assert summary.last == message(9, at=LATER)


async def test_a_sent_message_raises_head_and_the_senders_own_receipt(end: LiveEnd) -> None:
    await end.seed(group(), None, ())
    sent = message(3, body="Grüße 🐈", attachments=(attachment(),), at=LATER)

    await end.live.record_sent(sent, [ANN, BOB])
    await end.live.record_sent(message(2), [ANN, BOB])

    assert await end.live.head(GROUP) == Head(True, sequence(3), 1, LATER)
    (summary,) = await end.live.summaries(ANN, [GROUP])
    assert summary.last == sent
    assert summary.receipt == receipt(ANN, delivered=3, read=3, at=LATER)


async def test_recording_tells_whether_the_sender_is_connected_elsewhere_too(end: LiveEnd) -> None:
    tv, phone = ConnectionId("tv"), ConnectionId("phone")

    async def elsewhere(sequence: int, connection_id: ConnectionId | None) -> bool:
        return await end.live.record_sent(
            message(sequence), [ANN, BOB], connection_id=connection_id
        )

    nowhere = await elsewhere(1, None)
    await end.live.enter(Call(ANN, tv))
    await end.live.enter(Call(BOB, phone))
    over_http, by_the_tv = await elsewhere(2, None), await elsewhere(3, tv)
    await end.live.enter(Call(ANN, phone))
    beside_the_phone, by_one_forgotten = await elsewhere(4, tv), await elsewhere(5, phone)

    assert (nowhere, over_http, by_the_tv) == (False, True, False)
    assert (beside_the_phone, by_one_forgotten) == (True, True)


async def test_a_message_recorded_late_takes_back_nothing_of_its_senders_receipt(
    end: LiveEnd,
) -> None:
    await end.seed(group(), message(9, at=NOON), ())
    await acknowledge(end, ANN, delivered=8)

    await end.live.record_sent(message(7, at=LATER), [ANN, BOB])

    ((_, receipts),) = await end.live.receipts([GROUP])
    assert (receipts[ANN].delivered, receipts[ANN].read) == (8, 7)


async def test_a_message_alone_does_not_make_a_conversation_known(end: LiveEnd) -> None:
    await end.live.record_sent(message(3), [ANN, BOB])

    assert not (await end.live.head(GROUP)).is_cached
    await end.seed(group(), message(2), ())
    assert (await end.live.head(GROUP)).sequence == 3


async def test_heads_are_raised_where_they_are_known_and_behind(end: LiveEnd) -> None:
    await end.seed(group(), message(3), ())
    unknown = message(9, conversation_id=OTHER)

    raised = await end.live.raise_heads([message(5, at=LATER), unknown])
    again = await end.live.raise_heads([message(5), message(4)])

    assert (raised, again) == ([True, False], [False, False])
    assert (await end.live.head(GROUP)).sequence == 5
    assert not (await end.live.head(OTHER)).is_cached


async def test_messages_are_counted_for_each_member(end: LiveEnd) -> None:
    for number in range(3):
        await end.live.record_sent(message(number + 1), [ANN, BOB])
    await end.live.record_sent(message(1, conversation_id=OTHER), [ANN])

    counts = [(await end.live.heartbeat(Call(user)))[1] for user in (ANN, BOB, CAT)]

    assert counts == [4, 3, 0]


async def test_watermarks_move_forward_only(end: LiveEnd) -> None:
    await end.seed(group(), message(9), ())

    moved = await acknowledge(end, delivered=7, read=4)
    late = await acknowledge(end, delivered=5, read=2)
    further = await acknowledge(end, read=9)

    assert (moved.outcome, moved.head) == ("moved", 9)
    assert moved.receipt == receipt(BOB, delivered=7, read=4, at=LATER)
    assert (late.outcome, late.receipt) == ("unchanged", moved.receipt)
    assert (further.outcome, further.receipt.delivered, further.receipt.read) == ("moved", 9, 9)


async def test_what_lies_past_the_head_moves_nothing(end: LiveEnd) -> None:
    await end.seed(group(), message(3), ())

    done = await acknowledge(end, delivered=4, read=1)

    assert (done.outcome, done.head) == ("beyond", 3)
    ((_, receipts),) = await end.live.receipts([GROUP])
    assert receipts.get(BOB, receipt(BOB)) == receipt(BOB)


async def test_an_older_copy_of_the_conversation_is_stale(end: LiveEnd) -> None:
    await end.seed(group(version=2), message(3), ())

    assert (await acknowledge(end, delivered=1, version=1)).outcome == "stale"
    assert (await acknowledge(end, delivered=1, version=3)).outcome == "moved"


async def test_a_lost_conversation_is_unknown(end: LiveEnd) -> None:
    await end.seed(group(), message(3), ())
    await end.lose()

    assert (await acknowledge(end, delivered=1)).outcome == "unknown"


async def test_a_version_is_only_raised_and_only_where_it_is_known(end: LiveEnd) -> None:
    await end.live.set_version(GROUP, 9)
    assert not (await end.live.head(GROUP)).is_cached
    await end.seed(group(version=2), None, ())

    for version in (4, 3):
        await end.live.set_version(GROUP, version)

    assert (await end.live.head(GROUP)).version == 4


async def test_reconciliations_are_remembered(end: LiveEnd) -> None:
    assert await end.live.reconciled_version(GROUP) == 0

    await end.live.mark_reconciled(GROUP, 3)
    await end.live.mark_reconciled(GROUP, 2)

    assert await end.live.reconciled_version(GROUP) == 3


async def test_a_reconciliation_that_does_not_follow_the_last_one_is_not_remembered(
    end: LiveEnd,
) -> None:
    await end.live.mark_reconciled(GROUP, 1, follows=0)
    await end.live.mark_reconciled(GROUP, 3, follows=2)
    assert await end.live.reconciled_version(GROUP) == 1

    await end.live.mark_reconciled(GROUP, 2, follows=1)

    assert await end.live.reconciled_version(GROUP) == 2


async def test_a_group_membership_that_was_dropped_is_not_renewed(end: LiveEnd) -> None:
    kept, dropped = entry(1, 5).conversation_id, entry(2, 5).conversation_id
    assert await end.live.renew_group_memberships(ANN, []) is None
    await end.live.fill_group_memberships(
        ANN, [GroupMembership(kept, NOON), GroupMembership(dropped, NOON)]
    )
    await end.live.drop_inbox(ANN, dropped)
    later = NOON + timedelta(days=1)

    group_memberships = await end.live.renew_group_memberships(
        ANN, [GroupMembership(kept, later), GroupMembership(dropped, later)]
    )

    assert group_memberships == [GroupMembership(kept, later)]
    _, group_memberships = await end.live.enter_connection(Call(ANN))
    assert group_memberships == [GroupMembership(kept, later)]


async def test_the_limiter_lets_a_burst_through_and_then_the_rate(end: LiveEnd) -> None:
    call = Call(ANN, limit=("other", Limit(per_second=5, burst=3)))

    waits = [(await end.live.enter(call)).wait_ms for _ in range(4)]

    assert waits[:3] == [0, 0, 0]
    assert 0 < waits[3] <= 201

    async def passes() -> bool:
        return (await end.live.enter(call)).wait_ms == 0

    await end.until(passes)


async def test_each_user_and_kind_has_a_bucket_of_its_own(end: LiveEnd) -> None:
    limit = Limit(per_second=0.001, burst=1)

    waits = [
        (await end.live.enter(Call(user, limit=(kind, limit)))).wait_ms == 0
        for user in (ANN, BOB)
        for kind in ("messages", "other")
    ]

    assert all(waits)
    assert (await end.live.enter(Call(ANN))).wait_ms == 0
    assert (await end.live.enter(Call(ANN, limit=("other", limit)))).wait_ms > 0


async def test_a_quota_is_used_up_and_refuses_without_taking(end: LiveEnd) -> None:
    taken = [await end.live.take_quota(ANN, amount, most=100) for amount in (60, 50, 40, 1)]

    assert (taken[0], taken[2]) == (0, 0)
    day_ms = 24 * 3600 * 1000
    assert 0 < taken[1] <= day_ms
    assert 0 < taken[3] <= day_ms
    assert await end.live.take_quota(BOB, 100, most=100) == 0


def entry(number: int, at_ms: int) -> InboxEntry:
    return InboxEntry(ConversationId(f"g-{number:032x}"), at_ms)


async def test_an_inbox_that_was_never_filled_is_lost(end: LiveEnd) -> None:
    await end.live.put_inbox([ANN], entry(1, 5))
    await end.live.record_sent(message(1), [ANN])

    assert await end.live.inbox_page(ANN, limit=10, after=None) is None


async def test_an_inbox_may_be_empty(end: LiveEnd) -> None:
    await end.fill_inbox(ANN, [])

    assert await end.live.inbox_page(ANN, limit=10, after=None) == []


async def test_an_inbox_is_paged_newest_first(end: LiveEnd) -> None:
    entries = [entry(number, 1_000 + number) for number in range(5)]
    await end.fill_inbox(ANN, entries)

    first = await end.live.inbox_page(ANN, limit=2, after=None)
    second = await end.live.inbox_page(ANN, limit=2, after=entries[3])
    last = await end.live.inbox_page(ANN, limit=2, after=entries[1])

    assert (first, second, last) == (
        [entries[4], entries[3]],
        [entries[2], entries[1]],
        [entries[0]],
    )


@pytest.mark.parametrize("limit", [1, 7, 100])
async def test_many_entries_of_one_millisecond_are_paged_whole(end: LiveEnd, limit: int) -> None:
    entries = [entry(number, 1_000) for number in range(150)]
    await end.fill_inbox(ANN, entries)
    shown: list[InboxEntry] = []

    while True:
        page = await end.live.inbox_page(ANN, limit=limit, after=shown[-1] if shown else None)
        assert page is not None
        shown += page
        if len(page) < limit:
            break

    assert shown == entries[::-1]


async def test_live_state_remembers_the_flush_it_follows(end: LiveEnd) -> None:
    await end.seed(group(), message(1), (), flushed=7)
    (first,) = await end.live.snapshots([GROUP])
    await end.live.flushed([first])
    (second,) = await end.live.snapshots([GROUP])

    await end.seed(group(), message(1), (), flushed=5)  # what is recorded counts

    (third,) = await end.live.snapshots([GROUP])
    assert (first.previous_flush_id, second.previous_flush_id, third.previous_flush_id) == (
        7,
        first.flush_id,
        5,
    )


async def test_a_flush_of_what_was_lost_makes_nothing_known(end: LiveEnd) -> None:
    await end.seed(group(), message(1), ())
    states = await end.live.snapshots([GROUP])
    await end.lose()

    await end.live.flushed(states)

    assert not (await end.live.head(GROUP)).is_cached


async def test_activity_only_raises_an_entry(end: LiveEnd) -> None:
    at_ms = to_ms(NOON)
    await end.fill_inbox(ANN, [InboxEntry(GROUP, at_ms + 5), entry(7, at_ms + 1)])

    await end.live.record_sent(message(1, at=NOON), [ANN])
    await end.fill_inbox(ANN, [entry(7, at_ms)])
    await end.live.put_inbox([ANN, BOB], entry(8, at_ms + 3))

    page = await end.live.inbox_page(ANN, limit=10, after=None)
    assert page == [InboxEntry(GROUP, at_ms + 5), entry(8, at_ms + 3), entry(7, at_ms + 1)]
    assert await end.live.inbox_page(BOB, limit=10, after=None) is None


async def test_a_dropped_entry_is_gone(end: LiveEnd) -> None:
    await end.fill_inbox(ANN, [entry(1, 1), entry(2, 2)])

    await end.live.drop_inbox(ANN, entry(1, 1).conversation_id)

    assert await end.live.inbox_page(ANN, limit=10, after=None) == [entry(2, 2)]


async def test_group_memberships_are_lost_until_they_are_filled(end: LiveEnd) -> None:
    group_membership = GroupMembership(GROUP, NOON)
    await end.live.add_group_membership([ANN], group_membership)
    _, lost = await end.live.enter_connection(Call(ANN, ConnectionId("tv")))

    await end.live.fill_group_memberships(ANN, [replace(group_membership, conversation_id=OTHER)])
    await end.live.add_group_membership([ANN], group_membership)
    _, found = await end.live.enter_connection(Call(ANN, ConnectionId("tv")))
    await end.live.drop_inbox(ANN, OTHER)
    _, left = await end.live.enter_connection(Call(ANN, ConnectionId("tv")))

    assert lost is None
    assert {one.conversation_id for one in found or ()} == {GROUP, OTHER}
    assert [one.conversation_id for one in left or ()] == [GROUP]


async def test_a_renewed_group_membership_is_sure(end: LiveEnd) -> None:
    await end.live.fill_group_memberships(ANN, [])
    await end.live.add_group_membership([ANN], GroupMembership(GROUP, NOON))

    await end.live.renew_group_memberships(ANN, [GroupMembership(GROUP, LATER)])

    _, group_memberships = await end.live.enter_connection(Call(ANN))
    assert group_memberships == [GroupMembership(GROUP, LATER, confirmed=True)]


async def test_what_changed_waits_for_its_flush(end: LiveEnd) -> None:
    await end.seed(group(), message(1), ())
    assert await end.live.dirty_conversations(limit=10) == []
    await end.live.record_sent(message(2), [ANN, BOB])
    await acknowledge(end, BOB, read=1)

    (state,) = await end.live.snapshots(await end.live.dirty_conversations(limit=10))
    await end.live.flushed([state])

    assert (state.conversation_id, state.head.sequence) == (GROUP, 2)
    assert set(state.changed) == {ANN, BOB}
    assert {one.user_id: one.read for one in state.receipts} == {ANN: 2, BOB: 1}
    assert await end.live.dirty_conversations(limit=10) == []
    (again,) = await end.live.snapshots([GROUP])
    assert again.changed == ()
    assert again.flush_id > state.flush_id


async def test_what_changes_after_its_snapshot_stays_dirty(end: LiveEnd) -> None:
    await end.seed(group(), message(2), ())
    await acknowledge(end, BOB, read=1)
    states = await end.live.snapshots([GROUP])
    await acknowledge(end, BOB, read=2)

    await end.live.flushed(states)

    assert await end.live.dirty_conversations(limit=10) == [GROUP]


async def test_a_lost_conversation_has_nothing_to_flush(end: LiveEnd) -> None:
    (state,) = await end.live.snapshots([GROUP])

    assert not state.head.is_cached
    assert state.receipts == ()


async def test_dirty_conversations_come_in_batches(end: LiveEnd) -> None:
    for number in range(5):
        place = entry(number, 0).conversation_id
        await end.live.record_sent(message(1, conversation_id=place), [ANN])

    assert len(await end.live.dirty_conversations(limit=3)) == 3
    assert len(await end.live.dirty_conversations(limit=99)) == 5


async def test_summaries_come_in_the_order_asked(end: LiveEnd) -> None:
    await end.seed(group(), message(2), [receipt(BOB, delivered=2, read=1, at=LATER)])

    unknown, known = await end.live.summaries(BOB, [OTHER, GROUP])

    assert (unknown.head.is_cached, unknown.last) == (False, None)
    assert unknown.receipt == Receipt(OTHER, BOB)
    assert (known.head.sequence, known.last) == (2, message(2))
    assert known.receipt == receipt(BOB, delivered=2, read=1, at=LATER)


async def test_mutes_are_remembered_in_their_epoch_and_the_newer_stays(end: LiveEnd) -> None:
    epoch, ids = await end.live.epoch(), [GROUP, OTHER]

    async def known() -> list[Mute | None]:
        return [one.mute for one in await end.live.summaries(BOB, ids)]

    assert await known() == [None, None]
    await end.live.remember_mutes(BOB, {GROUP: Mute(LATER, 2), OTHER: UNSAID}, epoch=epoch)
    await end.live.remember_mutes(BOB, {GROUP: Mute(None, 1)}, epoch=epoch)
    assert await known() == [Mute(LATER, 2), UNSAID]
    assert [one.mute for one in await end.live.summaries(ANN, ids)] == [None, None]

    await end.live.remember_mutes(BOB, {GROUP: Mute(None, 3)}, epoch=epoch)
    await end.live.drop_inbox(BOB, OTHER)
    assert await known() == [Mute(None, 3), None]

    await end.renew()
    assert await known() == [None, None]
    await end.live.remember_mutes(BOB, {GROUP: Mute(LATER, 2)}, epoch=await end.live.epoch())
    assert await known() == [Mute(LATER, 2), None]
