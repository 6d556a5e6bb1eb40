"""The inbox: newest activity first, in stable pages, reconciled when it was lost."""

import asyncio

import pytest

from shared.domain.conversations.inbox import InboxItem
from shared.domain.errors import RateLimitedError, UnavailableError
from shared.domain.ids import ConversationId, UserId
from shared.domain.limits import Limit
from shared.ports import Call, InboxEntry
from shared.services.inbox.inbox import InboxPage
from tests.integration.services.world import Worker, World, by, post, start, start_pair
from tests.unit.things import ANN, BOB, CAT


async def page(
    worker: Worker, user: UserId = ANN, *, limit: int = 20, after: InboxEntry | None = None
) -> InboxPage:
    return await worker.chat.inbox.list_conversations(by(user), limit=limit, after=after)


async def whole(worker: Worker, user: UserId = ANN, *, limit: int = 20) -> list[InboxItem]:
    """Page through an inbox to its end."""
    items: list[InboxItem] = []
    after: InboxEntry | None = None
    while True:
        shown = await page(worker, user, limit=limit, after=after)
        assert len(shown.items) <= limit
        items += shown.items
        after = shown.continuation
        if after is None:
            return items


def ids(items: list[InboxItem]) -> list[ConversationId]:
    return [item.row.conversation.id for item in items]


async def rest_of_reconciliations() -> None:
    """Wait until nothing goes on behind a page: the loop comes to this moment when all is done."""
    await asyncio.sleep(60)


async def several(world: World, worker: Worker, count: int) -> list[ConversationId]:
    """Start groups of ann and bob, a second apart; return them newest first."""
    started = []
    for number in range(count):
        started.append((await start(worker, ANN, BOB, title=f"{number}")).conversation.id)
        world.clock.advance(1)
    return started[::-1]


async def test_a_new_user_has_an_empty_inbox(worker: Worker) -> None:
    shown = await page(worker)

    assert (shown.items, shown.continuation) == ([], None)


async def test_the_newest_activity_comes_first(world: World, worker: Worker) -> None:
    third, second, first = await several(world, worker, 3)
    await page(worker)

    await post(worker, first, 1, BOB)

    assert ids(await whole(worker)) == [first, third, second]


async def test_a_row_shows_what_is_new(world: World, worker: Worker) -> None:
    conversation = (await start_pair(worker)).conversation
    await post(worker, conversation.id, 1, ANN)
    posted = await post(worker, conversation.id, 2, ANN)

    for one in (worker, world.worker()):
        (item,) = (await page(one, BOB)).items
        assert item.row.last == posted.message
        assert (item.unread_count, item.muted, item.row.receipt.read) == (2, False, 0)
    (own,) = (await page(worker, ANN)).items
    assert (own.unread_count, own.row.receipt.read) == (0, 2)


async def test_an_empty_conversation_has_no_last_message(worker: Worker) -> None:
    await start_pair(worker)

    (item,) = (await page(worker)).items

    assert (item.row.last, item.unread_count) == (None, 0)


async def test_a_newcomer_sees_no_message_from_before(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation
    await post(worker, conversation.id, 1)
    worker.messages.link.fail("append", count=99)
    with pytest.raises(UnavailableError):  # the newcomer is in; that it was said is lost
        await worker.chat.conversations.add_members(by(ANN), conversation.id, user_ids=[CAT])

    (item,) = (await page(world.worker(), CAT)).items

    assert (item.row.last, item.unread_count) == (None, 0)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 20])
async def test_pages_show_everything_once(world: World, worker: Worker, limit: int) -> None:
    newest_first = await several(world, worker, 7)

    assert ids(await whole(worker, limit=limit)) == newest_first


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("limit", [1, 20, 100])
async def test_pages_are_whole_when_all_happened_in_one_millisecond(
    world: World, worker: Worker, limit: int, lost: bool
) -> None:
    started = [(await start(worker, ANN, BOB)).conversation.id for _ in range(130)]
    world.redis_link.down = lost

    shown = ids(await whole(worker, limit=limit))

    assert sorted(shown) == sorted(started)
    assert shown == sorted(started, reverse=True)


async def test_activity_between_two_pages_repeats_nothing(world: World, worker: Worker) -> None:
    newest_first = await several(world, worker, 6)
    first = await page(worker, limit=3)
    await post(worker, newest_first[4], 1, BOB)

    second = await page(worker, limit=3, after=first.continuation)

    assert ids(first.items) == newest_first[:3]
    assert ids(second.items) == [newest_first[3], newest_first[5]]
    assert second.continuation is None


async def test_a_lost_inbox_is_rebuilt_as_it_was(world: World, worker: Worker) -> None:
    newest_first = await several(world, worker, 5)
    await post(worker, newest_first[3], 1, BOB)
    before = ids(await whole(worker))
    world.redis.flush()

    after = ids(await whole(world.worker(), limit=2))

    assert after == before == [newest_first[3], *newest_first[:3], newest_first[4]]


async def test_without_live_state_the_store_serves_the_inbox(world: World, worker: Worker) -> None:
    newest_first = await several(world, worker, 5)
    await post(worker, newest_first[4], 1, BOB)
    world.redis_link.down = True

    shown = await whole(world.worker(), limit=2)

    assert ids(shown) == [newest_first[4], *newest_first[:4]]


async def test_what_is_posted_while_an_inbox_is_rebuilt_is_not_lost(
    world: World, worker: Worker
) -> None:
    newest_first = await several(world, worker, 4)
    world.redis.flush()

    for turns in range(40):
        world.redis.flush()

        async def meanwhile(turns: int = turns) -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            await post(world.worker(), newest_first[3], turns, BOB)

        await asyncio.gather(page(world.worker()), meanwhile())

        assert ids(await whole(worker))[0] == newest_first[3]
        world.clock.advance(1)


async def test_a_page_of_a_thousand_conversations_costs_what_a_page_of_ten_does(
    world: World, worker: Worker
) -> None:
    newest_first = await several(world, worker, 1_000)
    await page(worker)
    await rest_of_reconciliations()
    links = (worker.messages.link, worker.conversations.link, world.redis_link)
    for link in links:
        link.calls.clear()
    fresh = world.worker()

    shown = await page(fresh, limit=20)

    assert ids(shown.items) == newest_first[:20]
    assert dict(world.redis_link.calls) == {"enter": 1, "inbox_page": 1, "summaries": 1}
    assert dict(fresh.conversations.link.calls) == {"find_many": 1}
    assert dict(fresh.messages.link.calls) == {}


async def test_an_inbox_of_a_thousand_is_rebuilt_whole(world: World, worker: Worker) -> None:
    newest_first = await several(world, worker, 1_000)
    world.redis.flush()

    assert ids(await whole(world.worker(), limit=100)) == newest_first


async def test_listing_is_limited(worker: Worker) -> None:
    call = Call(ANN, limit=("other", Limit(per_second=1, burst=1)))
    await worker.chat.inbox.list_conversations(call, limit=1, after=None)

    with pytest.raises(RateLimitedError):
        await worker.chat.inbox.list_conversations(call, limit=1, after=None)
