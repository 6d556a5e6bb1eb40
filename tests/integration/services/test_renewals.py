"""Renewals: memberships bound how late a conversation was active, whatever comes between."""

import asyncio
import contextlib
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.conversations.activity import active_before
from shared.domain.conversations.conversation import Conversation
from shared.domain.errors import NotFoundError, UnavailableError
from shared.domain.ids import ConversationId, UserId
from shared.domain.people.user import User
from tests.integration.services.world import Worker, World, by, post, run, start, start_pair
from tests.unit.things import ANN, BOB, CAT

WEEK_S = 7 * 24 * 3600.0


async def flushed(worker: Worker, conversation_id: ConversationId) -> tuple[int, datetime | None]:
    """Return the recorded head, and what is noted of the memberships."""
    found = await worker.conversations.find_with_state(conversation_id)
    assert found is not None
    return found[1].head, found[1].active_from


async def go_on(_name: str) -> None:
    await asyncio.sleep(0)


async def renewed_since(world: World, worker: Worker, was: datetime, of: Conversation) -> bool:
    """Tell whether all memberships and the conversation's own note have been renewed."""
    places = [world.memberships.active_from[user, of.id] for user in of.member_ids]
    _, noted = await flushed(worker, of.id)
    assert noted is not None
    assert all(at >= noted for at in places)
    return noted > was


async def test_a_week_of_messages_costs_no_renewal(world: World, worker: Worker) -> None:
    conversation = (await start_pair(worker)).conversation
    for number in range(7):
        await post(worker, conversation.id, number)
        await worker.chat.receipt_flush.flush()
        world.clock.advance(WEEK_S / 7)

    assert world.memberships.link.calls["renew"] == 0
    assert worker.conversations.link.calls["save_state"] == 7


async def test_a_message_a_week_later_renews_each_membership_once(
    world: World, worker: Worker
) -> None:
    conversation = (await start(worker, ANN, BOB, CAT)).conversation
    was = world.clock.now()
    world.clock.advance(WEEK_S)

    for number in range(3):
        await post(worker, conversation.id, number)
        await worker.chat.receipt_flush.flush()

    assert await renewed_since(world, worker, was, conversation)
    assert (await flushed(worker, conversation.id))[0] == 3
    assert world.memberships.link.calls["renew"] == 3
    # Refused, read, recorded; then one write for each flush as ever.
    assert worker.conversations.link.calls["save_state"] == 4
    assert await world.live.dirty_conversations(limit=9) == []


async def test_a_worker_that_dies_in_between_leaves_the_flush_to_the_next(
    world: World, worker: Worker
) -> None:
    conversation = (await start(worker, ANN, BOB, CAT)).conversation
    was = world.clock.now()
    world.clock.advance(WEEK_S)
    await post(worker, conversation.id, 1)
    dying = world.worker()

    async def die(name: str) -> None:
        if name == "renew":
            dying.conversations.link.down = True

    world.memberships.link.pause = die
    await dying.chat.receipt_flush.flush()

    assert world.memberships.link.calls["renew"] == 3
    assert await flushed(worker, conversation.id) == (0, was)
    await world.worker().chat.receipt_flush.flush()
    assert await renewed_since(world, worker, was, conversation)
    assert (await flushed(worker, conversation.id))[0] == 1


async def test_memberships_that_cannot_be_written_hold_up_nobody_else(
    world: World, worker: Worker
) -> None:
    old = (await start(worker, ANN, BOB, CAT)).conversation
    world.clock.advance(WEEK_S)
    fresh = (await start_pair(worker)).conversation
    for one in (old, fresh):
        await post(worker, one.id, 1)

    async def stuck(name: str) -> None:
        if name == "renew":
            await asyncio.Event().wait()

    world.memberships.link.pause = stuck
    began = asyncio.get_running_loop().time()

    told = await worker.chat.receipt_flush.flush()

    assert asyncio.get_running_loop().time() - began < 5
    assert told  # the group hears of its receipts all the same
    assert (await flushed(worker, fresh.id))[0] == 1
    assert (await flushed(worker, old.id))[0] == 0
    assert await world.live.dirty_conversations(limit=9) == [old.id]

    world.memberships.link.pause = go_on
    await worker.chat.receipt_flush.flush()
    assert (await flushed(worker, old.id))[0] == 1


async def test_a_full_group_is_renewed_by_some_at_once() -> None:
    people = [User(UserId(f"member-{number}"), f"{number}") for number in range(100)]
    world = World(people)
    worker = world.worker()
    conversation = (await start(worker, *(one.id for one in people))).conversation
    was = world.clock.now()
    world.clock.advance(WEEK_S)
    await post(worker, conversation.id, 1, people[0].id)
    under_way, most = 0, 0

    async def pause(name: str) -> None:
        nonlocal under_way, most
        if name == "renew":
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1

    world.memberships.link.pause = pause
    await worker.chat.receipt_flush.flush()

    assert await renewed_since(world, worker, was, conversation)
    assert world.memberships.link.calls["renew"] == 100
    assert most <= 16


async def test_who_left_meanwhile_gets_no_membership(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB, CAT)).conversation
    world.clock.advance(WEEK_S)
    await post(worker, conversation.id, 1)
    left = False

    async def leave(name: str) -> None:
        nonlocal left
        if name == "renew" and not left:
            left = True
            await worker.chat.conversations.remove_member(by(CAT), conversation.id, user_id=CAT)

    world.memberships.link.pause = leave
    await world.worker().chat.receipt_flush.flush()

    assert await world.memberships.list_all(CAT) == {}
    assert (CAT, conversation.id) not in world.memberships.active_from
    assert (await flushed(worker, conversation.id))[0] >= 1


async def test_a_flush_that_was_set_aside_renews_too(world: World, worker: Worker) -> None:
    conversation = (await start_pair(worker)).conversation
    was = world.clock.now()
    world.clock.advance(WEEK_S)
    await post(worker, conversation.id, 1)

    await worker.chat.receipt_flush.flush_again(conversation.id)
    assert await renewed_since(world, worker, was, conversation)

    world.clock.advance(WEEK_S)
    await post(worker, conversation.id, 2)
    world.memberships.link.fail("renew", count=99)
    with pytest.raises(UnavailableError):
        await worker.chat.receipt_flush.flush_again(conversation.id)


async def test_an_item_from_before_there_were_bounds_is_renewed_at_its_next_flush(
    world: World, worker: Worker
) -> None:
    conversation = (await start_pair(worker)).conversation
    world.forget_activity_bounds()

    await post(worker, conversation.id, 1)
    await worker.chat.receipt_flush.flush()

    assert (await flushed(worker, conversation.id))[1] == world.clock.now()
    assert await world.memberships.list_newest(BOB, limit=1) == [
        (conversation.id, world.clock.now())
    ]


steps = st.lists(
    st.tuples(
        st.sampled_from(["post", "flush", "two flushes", "leave", "join", "crash", "lose"]),
        st.integers(0, 9 * 24),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_no_recorded_message_is_ever_past_what_a_membership_says(
    asked: list[tuple[str, int]],
) -> None:
    async def check() -> None:
        world = World()
        worker = world.worker()
        conversation = (await start(worker, ANN, BOB)).conversation
        for number, (step, hours) in enumerate(asked):
            world.clock.advance(hours * 3600)
            await _do(world, worker, conversation.id, step, number)
            found = await worker.conversations.find_with_state(conversation.id)
            assert found is not None
            for user in found[0].member_ids:
                bound = active_before(world.memberships.active_from[user, conversation.id])
                assert max(found[0].created_at, found[1].at or found[0].created_at) < bound

    run(check())


async def _do(
    world: World, worker: Worker, conversation_id: ConversationId, step: str, number: int
) -> None:
    chat = worker.chat
    if step == "post":
        await post(worker, conversation_id, number)
    elif step == "leave":
        with contextlib.suppress(NotFoundError):
            await chat.conversations.remove_member(by(ANN), conversation_id, user_id=BOB)
    elif step == "join":
        await chat.conversations.add_members(by(ANN), conversation_id, user_ids=[BOB])
    elif step == "lose":
        world.redis.flush()
    elif step == "crash":
        world.memberships.link.fail("renew")
        await chat.receipt_flush.flush()
        world.memberships.link.clear()
    else:
        flushes = 1 if step == "flush" else 2
        await asyncio.gather(*(world.worker().chat.receipt_flush.flush() for _ in range(flushes)))
