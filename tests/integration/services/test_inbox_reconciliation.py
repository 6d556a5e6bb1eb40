"""An inbox after a loss: reconciled once, in portions that are kept, and never shown in part."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId
from tests.integration.services.test_inbox import ids, page, rest_of_reconciliations, several, whole
from tests.integration.services.world import Worker, World, post
from tests.unit.things import ANN, BOB


async def lost(world: World, worker: Worker, count: int) -> list[ConversationId]:
    """Start conversations, lose live state with all its heads; return them newest first."""
    newest_first = await several(world, worker, count)
    await worker.chat.receipt_flush.flush()
    world.redis.flush()
    return newest_first


async def test_without_bounds_a_page_after_a_loss_asks_once_for_200_conversations(
    world: World, worker: Worker
) -> None:
    newest_first = await lost(world, worker, 1_000)
    world.forget_activity_bounds()
    world.memberships.link.calls.clear()
    fresh = world.worker()

    shown = await page(fresh, limit=20)

    assert ids(shown.items) == newest_first[:20]
    assert world.memberships.link.calls["list_all"] == 1
    # One for each 200; and one for each of the page's own, as of an inbox of 20.
    assert fresh.conversations.link.calls["find_many_with_state"] == 5
    assert fresh.conversations.link.calls["find_with_state"] == 20
    assert fresh.messages.link.calls["find_many"] == 1  # past the heads of the 100 newest


async def test_a_reconciliation_goes_on_where_another_one_ended(
    world: World, worker: Worker
) -> None:
    newest_first = await lost(world, worker, 1_000)
    world.forget_activity_bounds()
    broken = world.worker()
    broken.conversations.link.pause = failing_after(6)
    with pytest.raises(UnavailableError):
        await page(broken)
    fresh = world.worker()

    assert ids(await whole(fresh, limit=100)) == newest_first

    # Three steps of the five were kept; and one request for those that were active last.
    assert fresh.conversations.link.calls["find_many_with_state"] <= 3


async def test_an_inbox_that_is_lost_again_while_it_is_rebuilt_is_never_served_in_part(
    world: World, worker: Worker
) -> None:
    newest_first = await lost(world, worker, 450)

    for turns in range(0, 60, 3):
        world.redis.flush()

        async def lose(turns: int = turns) -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            world.redis.flush()

        shown, _ = await asyncio.gather(page(world.worker(), limit=50), lose())

        assert ids(shown.items) == newest_first[:50]
        assert ids(await whole(worker, limit=100)) == newest_first


async def test_of_many_who_ask_at_once_one_rebuilds(world: World, worker: Worker) -> None:
    await lost(world, worker, 450)
    fresh = world.worker()
    world.memberships.link.calls.clear()

    await asyncio.gather(*(page(fresh) for _ in range(8)))
    await rest_of_reconciliations()

    assert world.memberships.link.calls["list_newest"] == 1
    assert world.memberships.link.calls["list_all"] == 1


async def test_what_was_posted_after_the_last_flush_is_found_past_the_recorded_head(
    world: World, worker: Worker
) -> None:
    newest_first = await several(world, worker, 150)
    await worker.chat.receipt_flush.flush()
    for number in range(3):
        await post(worker, newest_first[40], number, BOB)
    world.redis.flush()

    shown = await page(world.worker(), limit=2)

    assert ids(shown.items) == [newest_first[40], newest_first[0]]
    assert shown.items[0].unread_count == 3


async def test_a_user_is_rebuilt_beside_an_inbox_that_is_there(
    world: World, worker: Worker
) -> None:
    newest_first = await several(world, worker, 5)
    await page(worker)
    del world.redis.data.inboxes[ANN][newest_first[2]]

    await worker.chat.reconciliation.run(ANN)

    assert ids(await whole(worker)) == newest_first


def failing_after(calls: int) -> Callable[[str], Awaitable[None]]:
    """Return a link's pause that fails the reads of many after some; each read pauses twice."""
    left = calls

    async def pause(name: str) -> None:
        nonlocal left
        await asyncio.sleep(0)
        if name == "find_many_with_state":
            left -= 1
            if left < 0:
                raise UnavailableError("the store is busy")

    return pause
