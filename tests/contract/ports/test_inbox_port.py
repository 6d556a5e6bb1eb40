"""What an inbox in live state promises: its reconciliation, and what was touched since a moment."""

import asyncio

from shared.domain.ids import ConversationId, SequenceNumber
from shared.domain.live import Epoch
from shared.ports import Call, InboxEntry
from tests.contract.ports.ends import LiveEnd
from tests.unit.things import ANN, BOB, GROUP, NOON, group, message, pair

OTHER = ConversationId("g-" + "2" * 32)


def entry(number: int, at_ms: int) -> InboxEntry:
    return InboxEntry(ConversationId(f"g-{number:032x}"), at_ms)


async def newest(end: LiveEnd) -> int:
    return (await end.live.touches(ANN, since=None, limit=9)).newest


async def touched(end: LiveEnd, since: int, *, limit: int = 9) -> list[ConversationId]:
    found = await end.live.touches(ANN, since=since, limit=limit)
    assert found.honoured
    moments = [at for _, at in found.touched]
    assert moments == sorted(set(moments))
    assert all(since < at <= found.newest for at in moments)
    return [one for one, _ in found.touched]


async def test_an_inbox_is_not_shown_before_its_reconciliation_is_complete(end: LiveEnd) -> None:
    epoch = await end.live.epoch()
    listed = await end.live.begin_inbox(ANN, epoch=epoch)
    assert await end.live.fill_inbox(ANN, [entry(1, 5)], epoch=epoch, complete=False)
    between = await end.live.inbox_page(ANN, limit=9, after=None)
    assert await end.live.fill_inbox(ANN, [entry(2, 7)], epoch=epoch, complete=True)

    page = await end.live.inbox_page(ANN, limit=9, after=None)

    assert (listed, between, page) == ([], None, [entry(2, 7), entry(1, 5)])


async def test_an_unfinished_inbox_is_shown_to_who_knows_its_epoch(end: LiveEnd) -> None:
    epoch = await end.live.epoch()
    assert await end.live.inbox_page(ANN, limit=9, after=None, begun=epoch) is None
    await end.live.begin_inbox(ANN, epoch=epoch)
    await end.live.fill_inbox(ANN, [entry(1, 5), entry(2, 7)], epoch=epoch, complete=False)

    page = await end.live.inbox_page(ANN, limit=1, after=None, begun=epoch)
    of_another = await end.live.inbox_page(ANN, limit=1, after=None, begun=Epoch("99"))
    assert (page, of_another) == ([entry(2, 7)], None)

    await end.live.fill_inbox(ANN, [], epoch=epoch, complete=True)
    assert await end.live.inbox_page(ANN, limit=1, after=None, begun=epoch) == [entry(2, 7)]
    await end.lose()
    assert await end.live.inbox_page(ANN, limit=1, after=None, begun=epoch) is None


async def test_a_reconciliation_that_was_cut_short_is_joined(end: LiveEnd) -> None:
    epoch = await end.live.epoch()
    await end.live.begin_inbox(ANN, epoch=epoch)
    await end.live.fill_inbox(ANN, [entry(1, 5)], epoch=epoch, complete=False)

    assert await end.live.begin_inbox(ANN, epoch=epoch) == [entry(1, 5)]


async def test_messages_raise_an_inbox_that_is_being_rebuilt(end: LiveEnd) -> None:
    epoch = await end.live.epoch()
    await end.live.begin_inbox(ANN, epoch=epoch)
    await end.live.record_sent(message(1, at=NOON), [ANN, BOB])
    await end.live.put_inbox([ANN], entry(3, 3))

    await end.live.fill_inbox(ANN, [InboxEntry(GROUP, 1)], epoch=epoch, complete=True)

    page = await end.live.inbox_page(ANN, limit=9, after=None)
    assert page is not None
    assert [one.conversation_id for one in page] == [GROUP, entry(3, 3).conversation_id]


async def test_a_reconciliation_adds_nothing_to_an_inbox_that_was_lost_since(end: LiveEnd) -> None:
    epoch = await end.live.epoch()
    await end.live.begin_inbox(ANN, epoch=epoch)
    await end.lose()
    into_nothing = await end.live.fill_inbox(ANN, [entry(1, 5)], epoch=epoch, complete=True)
    await end.live.begin_inbox(ANN, epoch=await end.live.epoch())
    into_another = await end.live.fill_inbox(ANN, [entry(1, 5)], epoch=epoch, complete=True)

    assert (into_nothing, into_another) == (False, False)
    assert await end.live.inbox_page(ANN, limit=9, after=None) is None


async def test_what_is_touched_after_a_moment_is_listed_once(end: LiveEnd) -> None:
    since = await newest(end)
    await end.live.touch([(ANN, GROUP), (BOB, OTHER), (ANN, OTHER), (ANN, GROUP)])

    assert await touched(end, since) == [OTHER, GROUP]
    assert await touched(end, await newest(end)) == []


async def test_everything_a_client_shows_is_touched(end: LiveEnd) -> None:
    both = pair()
    await end.seed(both, message(1, conversation_id=both.id), ())
    since = await newest(end)
    await end.live.record_sent(message(1), [ANN, BOB])
    await end.live.put_inbox([ANN], entry(3, 3))
    await end.live.drop_inbox(ANN, OTHER)
    await end.live.acknowledge(
        Call(BOB), both, delivered=SequenceNumber(1), read=SequenceNumber(1), now=NOON
    )

    assert await touched(end, since) == [GROUP, entry(3, 3).conversation_id, OTHER, both.id]


async def test_of_a_group_only_oneself_is_touched_by_an_acknowledgement(end: LiveEnd) -> None:
    await end.seed(group(), message(1), ())
    since = await newest(end)

    await end.live.acknowledge(
        Call(BOB), group(), delivered=SequenceNumber(1), read=SequenceNumber(1), now=NOON
    )

    assert await touched(end, since) == []


async def test_touches_are_listed_in_portions(end: LiveEnd) -> None:
    since = await newest(end)
    asked = [entry(number, 0).conversation_id for number in range(7)]
    await end.live.touch((ANN, one) for one in asked)

    first = await end.live.touches(ANN, since=since, limit=4)
    rest = await touched(end, first.touched[-1][1])

    assert [one for one, _ in first.touched] + rest == asked


async def test_a_moment_before_a_loss_or_ahead_is_not_honoured(end: LiveEnd) -> None:
    before = await newest(end)
    await end.live.touch([(ANN, GROUP)])
    await end.lose()
    await asyncio.sleep(0.005)

    lost = await end.live.touches(ANN, since=before, limit=9)
    ahead = await end.live.touches(ANN, since=lost.newest + 1, limit=9)

    assert not lost.honoured
    assert not ahead.honoured
    assert await touched(end, lost.newest) == []


async def test_touches_and_pages_do_not_mix(end: LiveEnd) -> None:
    epoch = await end.live.epoch()
    await end.live.begin_inbox(ANN, epoch=epoch)
    await end.live.fill_inbox(ANN, [entry(1, 5)], epoch=epoch, complete=True)
    since = await newest(end)
    for count in range(3):
        await end.live.record_sent(message(count + 1, at=NOON), [ANN])

    page = await end.live.inbox_page(ANN, limit=9, after=None)

    assert page is not None
    assert [one.conversation_id for one in page] == [GROUP, entry(1, 5).conversation_id]
    assert (await end.live.heartbeat(Call(ANN)))[1] == 3
    assert await touched(end, since) == [GROUP]


async def test_members_who_were_not_told_are_told_again(end: LiveEnd) -> None:
    await end.seed(group(), message(1), ())
    await end.live.record_sent(message(1), [ANN, BOB])
    await end.live.raise_heads([message(2)])  # and then its worker died

    again = await end.live.raise_heads([message(2)])
    await end.live.record_sent(message(2), [ANN, BOB])

    assert (again, await end.live.raise_heads([message(2)])) == ([True], [False])
