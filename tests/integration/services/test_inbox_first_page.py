"""The first page of an inbox that was lost: right at once, and as cheap for 10,000 as for 20."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId, SequenceNumber
from shared.domain.live import Head
from shared.ports import LiveConversation
from shared.services.inbox import order as inbox_order
from tests.integration.services.test_inbox import ids, page, rest_of_reconciliations, whole
from tests.integration.services.world import Worker, World, by, post, run
from tests.unit.things import ANN, BOB, group, member, message

HOUR = timedelta(hours=1)
BOUND_H = 8 * 24  # no message lies further past what a membership says


async def lay(world: World, ages_h: Iterable[tuple[float, float]]) -> list[ConversationId]:
    """Store conversations of ann and bob with a message each, as they lie there after a loss.

    Args:
        ages_h: For each, how many hours ago its message was sent, and how many hours before that
            the moment lies that its memberships say.
    """
    store, made = world.worker(), []
    for number, (age_h, behind_h) in enumerate(ages_h):
        identifier = ConversationId(f"g-{number:032x}")
        at = world.clock.now() - age_h * HOUR
        active_from = at - behind_h * HOUR
        members = (member(ANN, "owner"), member(BOB))
        stored = replace(group(*members), id=identifier, created_at=active_from)
        await store.conversations.add(stored)
        await store.messages.append(message(conversation_id=identifier, number=number, at=at))
        head = Head(is_cached=True, sequence=SequenceNumber(1), version=1, at=at)
        await store.conversations.save_state(
            LiveConversation(identifier, head, (), (), flush_id=1), active_from=active_from
        )
        await world.memberships.put(ANN, identifier, active_from, active_from=active_from)
        made.append(identifier)
    return made


def years(count: int) -> list[tuple[float, float]]:
    """Return the ages of conversations as somebody has them who writes in twenty of them a day."""
    return [(number * 0.8 + number**2 / 900, number * 37 % (7 * 24)) for number in range(count)]


def requests(world: World, worker: Worker) -> int:
    """Return how many requests to the store were made."""
    links = world.memberships.link, worker.conversations.link, worker.messages.link
    return sum(link.calls.total() for link in links)


async def cost_of_first_page(count: int) -> int:
    world = World()
    made = await lay(world, years(count))
    world.memberships.link.calls.clear()
    worker = world.worker()

    shown = await page(worker, limit=20)

    assert ids(shown.items) == made[:20]
    assert (shown.continuation is not None) == (count > 20)
    assert all(one.row.last is not None for one in shown.items)
    return requests(world, worker)


async def test_the_first_page_of_ten_thousand_costs_what_one_of_twenty_does() -> None:
    few = await cost_of_first_page(20)

    assert few <= 65  # three for each row, and five
    assert await cost_of_first_page(5_000) <= 1.5 * few
    assert await cost_of_first_page(10_000) <= 1.5 * few


async def test_the_rest_is_rebuilt_behind_the_page_once(world: World) -> None:
    made = await lay(world, years(450))
    worker = world.worker()
    first = await page(worker, limit=20)
    again = await page(worker, limit=20)
    assert ids(first.items) == ids(again.items) == made[:20]
    before = world.memberships.link.calls.copy()
    assert before["list_newest"] == 1  # the second is served from what the first one read
    assert before["list_all"] == 0

    await rest_of_reconciliations()
    second = await page(worker, limit=100, after=first.continuation)

    assert ids(second.items) == made[20:120]
    assert world.memberships.link.calls - before == {"list_all": 1, "mutes_of": 1}
    assert ids(await whole(worker, limit=100)) == made


async def test_a_later_page_waits_for_the_whole_list(world: World) -> None:
    made = await lay(world, years(450))

    assert ids(await whole(world.worker(), limit=50)) == made
    await rest_of_reconciliations()
    assert world.memberships.link.calls["list_all"] == 1


async def test_a_sync_after_a_first_page_brings_every_conversation(world: World) -> None:
    made = await lay(world, years(120))
    worker = world.worker()
    await page(worker, limit=20)

    positions: dict[ConversationId, SequenceNumber] = {}
    more = True
    while more:
        answer = await worker.chat.sync.sync(by(ANN), positions, limit=5, since=None)
        positions |= {one.conversation_id: one.latest for one in answer.items}
        more = answer.more

    assert sorted(positions) == sorted(made)


async def test_a_worker_that_dies_leaves_the_rest_to_the_next_request(world: World) -> None:
    made = await lay(world, years(450))
    dying = world.worker()
    await page(dying, limit=20)
    await dying.chat.aclose()
    await rest_of_reconciliations()
    assert world.memberships.link.calls["list_all"] == 0
    next_one = world.worker()

    assert ids((await page(next_one, limit=20)).items) == made[:20]
    await rest_of_reconciliations()

    assert world.memberships.link.calls["list_all"] == 1
    assert next_one.conversations.link.calls["find_many_with_state"] <= 4
    next_one.conversations.link.calls.clear()
    assert ids(await whole(next_one, limit=100)) == made


async def test_a_rest_that_fails_is_taken_up_again(world: World) -> None:
    made = await lay(world, years(450))
    worker = world.worker()
    world.memberships.link.fail("list_all")

    for _ in range(2):
        assert ids((await page(worker, limit=20)).items) == made[:20]
        await rest_of_reconciliations()

    assert world.memberships.link.calls["list_all"] == 2
    assert ids(await whole(worker, limit=100)) == made


async def test_an_inbox_that_is_lost_again_shows_the_same_page(world: World) -> None:
    made = await lay(world, years(300))

    for turns in range(0, 100, 3):
        world.redis.flush()

        async def lose(turns: int = turns) -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            world.redis.flush()

        shown, _ = await asyncio.gather(page(world.worker(), limit=20), lose())

        assert ids(shown.items) == made[:20]
    await rest_of_reconciliations()
    assert ids(await whole(world.worker(), limit=100)) == made


async def test_a_message_while_the_page_is_read_is_on_it(world: World) -> None:
    made = await lay(world, years(300))
    sender, reader = world.worker(), world.worker()
    sent = False

    async def send(name: str) -> None:
        nonlocal sent
        if name == "find_many_with_state" and not sent:
            sent = True
            await post(sender, made[250], 9_999, BOB)

    reader.conversations.link.pause = send
    shown = await page(reader, limit=20)

    assert ids(shown.items) == [made[250], *made[:19]]
    assert shown.items[0].unread_count == 2
    # Also when the page is served again, and by the whole list.
    for _ in range(2):
        assert ids((await page(reader, limit=20)).items) == [made[250], *made[:19]]
        await rest_of_reconciliations()


async def test_a_message_that_no_flush_recorded_is_looked_for(world: World) -> None:
    made = await lay(world, years(300))
    await post(world.worker(), made[60], 9_999, BOB)
    world.redis.flush()

    shown = await page(world.worker(), limit=5)

    assert ids(shown.items) == [made[60], *made[:4]]


async def test_one_membership_without_a_bound_may_be_the_newest(world: World) -> None:
    made = await lay(world, years(300))
    for one in (made[0], made[280]):
        del world.memberships.active_from[ANN, one]

    assert ids((await page(world.worker(), limit=20)).items) == made[:20]
    assert world.memberships.link.calls["list_all"] == 1


async def test_without_live_state_the_first_page_costs_the_same(world: World) -> None:
    made = await lay(world, years(1_000))
    world.memberships.link.calls.clear()
    world.redis_link.down = True
    worker, few = world.worker(), 65

    assert ids((await page(worker, limit=20)).items) == made[:20]
    assert requests(world, worker) <= 1.5 * few
    assert ids((await page(worker, limit=100)).items) == made[:100]


async def test_a_store_that_does_not_answer_is_said_so(world: World) -> None:
    await lay(world, years(300))
    world.memberships.link.fail("list_newest")
    worker = world.worker()

    with pytest.raises(UnavailableError):
        await page(worker, limit=20)
    assert len((await page(worker, limit=20)).items) == 20


laid = st.lists(
    st.tuples(st.integers(0, 40 * 24), st.integers(0, BOUND_H - 1)), min_size=1, max_size=25
)


@settings(max_examples=80, deadline=None)
@given(laid, st.integers(1, 6), st.integers(1, 8), st.sets(st.integers(0, 24)), st.booleans())
def test_the_first_page_is_that_of_the_whole_list(
    ages_h: list[tuple[int, int]],
    limit: int,
    looked_past: int,
    raised: set[int],
    partly_rebuilt: bool,
) -> None:
    async def check() -> None:
        world = World()
        made = await lay(world, ages_h)
        if partly_rebuilt:
            await page(world.worker(), limit=1)
        for number in sorted(raised):
            if number < len(made):
                world.clock.advance(1)
                await post(world.worker(), made[number], 1_000 + number, BOB)
        if not partly_rebuilt:  # no list is there that the messages could have raised
            await world.worker().chat.receipt_flush.flush()
        for _ in range(2):
            shown = await page(world.worker(), limit=limit)
            everything = await whole(world.worker(), limit=50)
            assert ids(shown.items) == ids(everything)[:limit]
            assert sorted(ids(everything)) == made
            assert (shown.continuation is not None) == (len(made) > limit)
            await world.worker().chat.receipt_flush.flush()
            world.redis.flush()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(inbox_order, "_LOOKED_PAST", looked_past)  # few instead of a hundred
        run(check())
