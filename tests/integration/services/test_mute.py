"""A mute is the member's own: nobody else notices it, and nobody can hold up others by it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.conversations.inbox import InboxItem
from shared.domain.errors import NotFoundError
from shared.domain.events import InboxChanged, ToUser
from shared.domain.ids import ConversationId, UserId
from tests.integration.services.world import Worker, World, by, post, pushed, start, start_pair
from tests.unit.things import ANN, BOB, CAT, NOON

LATER = NOON + timedelta(hours=1)
ALWAYS = datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)


async def item_of(worker: Worker, user: UserId = BOB) -> InboxItem:
    page = await worker.chat.inbox.list_conversations(by(user), limit=10, after=None)
    (item,) = page.items
    return item


async def group_of(worker: Worker, *members: UserId) -> ConversationId:
    return (await start(worker, *members)).conversation.id


async def version_of(worker: Worker, conversation_id: ConversationId) -> int:
    found = await worker.conversations.find(conversation_id)
    return found.version if found else 0


async def test_who_mutes_all_the_time_is_removed_all_the_same(world: World, worker: Worker) -> None:
    conversation_id = await group_of(worker, ANN, BOB, CAT)
    others = [world.worker() for _ in range(4)]

    muting = [
        others[n % 4].chat.muting.mute(by(BOB), conversation_id, until=LATER) for n in range(20)
    ]
    all_at_once = asyncio.gather(*muting, return_exceptions=True)
    removed = await worker.chat.conversations.remove_member(by(ANN), conversation_id, user_id=BOB)
    muted = await all_at_once

    assert removed.conversation.member_ids == (ANN, CAT)
    assert await version_of(worker, conversation_id) == 2
    assert all(isinstance(one, list | NotFoundError) for one in muted)
    with pytest.raises(NotFoundError):
        await worker.chat.muting.mute(by(BOB), conversation_id, until=None)
    assert await world.memberships.list_all(BOB) == {}


async def test_a_mute_is_told_to_ones_own_connections_alone(world: World, worker: Worker) -> None:
    conversation_id = await group_of(worker, ANN, BOB)

    effects = await worker.chat.muting.mute(by(BOB), conversation_id, until=ALWAYS)

    (push,) = pushed(effects)
    assert push.to == ToUser(BOB)
    assert isinstance(push.event, InboxChanged)
    assert (push.event.item.muted_until, push.event.item.row.conversation.id) == (
        ALWAYS,
        conversation_id,
    )
    elsewhere = world.worker()
    assert (await item_of(elsewhere)).muted_until == ALWAYS
    assert not (await item_of(elsewhere, ANN)).muted
    assert await version_of(worker, conversation_id) == 1
    assert world.stored(conversation_id) == []


@pytest.mark.parametrize("of_old", [True, False])
async def test_who_muted_is_not_notified_until_they_unmute(
    world: World, worker: Worker, of_old: bool
) -> None:
    conversation_id = await group_of(worker, ANN, BOB)
    if of_old:
        mute_as_of_old(world, conversation_id, BOB, LATER)
    else:
        await worker.chat.muting.mute(by(BOB), conversation_id, until=LATER)

    assert await notified(world, conversation_id, 1) == 0
    assert (await item_of(world.worker())).muted_until == LATER

    await worker.chat.muting.mute(by(BOB), conversation_id, until=None)
    assert await notified(world, conversation_id, 2) == 1
    assert (await item_of(world.worker())).muted_until is None


async def test_a_mute_outlives_reconciliations_and_the_loss_of_live_state(
    world: World, worker: Worker
) -> None:
    pair = (await start_pair(worker)).conversation
    await worker.chat.muting.mute(by(BOB), pair.id, until=LATER)

    world.redis.flush()
    await start_pair(worker, BOB, ANN)
    await world.worker().chat.membership.reconcile(pair)

    assert (await item_of(world.worker())).muted_until == LATER


async def test_a_mute_is_completed_where_a_crash_left_no_membership(
    world: World, worker: Worker
) -> None:
    conversation_id = await group_of(worker, ANN, BOB)
    await world.memberships.remove(BOB, conversation_id)

    await worker.chat.muting.mute(by(BOB), conversation_id, until=LATER)

    assert (await item_of(world.worker())).muted_until == LATER


async def test_an_inbox_that_is_warm_asks_the_store_for_no_mutes(
    world: World, worker: Worker
) -> None:
    conversation_id = await group_of(worker, ANN, BOB)
    await item_of(worker)
    before = world.memberships.link.calls.copy()

    await item_of(world.worker())
    assert world.memberships.link.calls - before == {}

    await worker.chat.muting.mute(by(BOB), conversation_id, until=LATER)
    assert (await item_of(world.worker())).muted
    assert world.memberships.link.calls - before == {"mute": 1}


async def test_a_mute_reaches_other_devices_by_their_cursor(world: World, worker: Worker) -> None:
    conversation_id = await group_of(worker, ANN, BOB)
    other = world.worker().chat.sync
    begun = await other.sync(by(BOB), {}, limit=10, since="now")
    of_ann = await other.sync(by(ANN), {}, limit=10, since="now")

    await worker.chat.muting.mute(by(BOB), conversation_id, until=LATER)

    synced = await other.sync(by(BOB), {}, limit=10, since=begun.cursor)
    (item,) = synced.items
    assert item.inbox_item is not None
    assert item.inbox_item.muted_until == LATER
    assert (await other.sync(by(ANN), {}, limit=10, since=of_ann.cursor)).items == []


async def test_two_devices_that_mute_at_once_end_with_the_same(
    world: World, worker: Worker
) -> None:
    conversation_id = await group_of(worker, ANN, BOB)
    wishes = [None, LATER, ALWAYS, None, LATER]

    await asyncio.gather(
        *(world.worker().chat.muting.mute(by(BOB), conversation_id, until=one) for one in wishes)
    )

    stored = (await world.memberships.mutes(conversation_id, [BOB]))[BOB]
    assert (stored.order, (await item_of(worker)).muted_until) == (5, stored.until)


async def test_without_live_state_a_mute_is_stored_and_shown(world: World, worker: Worker) -> None:
    conversation_id = await group_of(worker, ANN, BOB)
    world.redis_link.down = True

    (push,) = pushed(await worker.chat.muting.mute(by(BOB), conversation_id, until=LATER))

    assert isinstance(push.event, InboxChanged)
    assert push.event.item.muted_until == LATER
    assert (await item_of(world.worker())).muted_until == LATER


async def test_who_comes_back_has_not_muted(world: World, worker: Worker) -> None:
    conversation_id = await group_of(worker, ANN, BOB)
    await worker.chat.muting.mute(by(BOB), conversation_id, until=LATER)
    conversations = worker.chat.conversations

    await conversations.remove_member(by(ANN), conversation_id, user_id=BOB)
    await conversations.add_members(by(ANN), conversation_id, user_ids=[BOB])

    assert not (await item_of(world.worker())).muted


def mute_as_of_old(
    world: World, conversation_id: ConversationId, user: UserId, until: datetime
) -> None:
    """Store a mute where it was before: in the conversation, with a new version."""
    log = world.conversation_table.logs[conversation_id]
    before = log[-1].conversation
    members = tuple(
        replace(one, muted_until=until) if one.user_id == user else one for one in before.members
    )
    log.append(replace(log[-1], conversation=replace(before, members=members)))


async def notified(world: World, conversation_id: ConversationId, number: int) -> int:
    """Post a message, and return how many were notified of it."""
    worker = world.worker()
    await post(worker, conversation_id, number)
    await worker.chat.notification_planning.decide(world.stored(conversation_id)[-1:])
    (queued,) = world.bus.take()
    return await worker.chat.notifications.deliver(queued.job)
