"""Presence: who may see whom, who watches whom, and what a new connection is given."""

import pytest

from shared.domain.conversations.group_memberships import REMEMBERED, RENEWED_AFTER
from shared.domain.errors import RateLimitedError, UnavailableError
from shared.domain.events import (
    Effect,
    JoinGroup,
    LeaveGroup,
    PresenceChanged,
    Push,
    ToConnection,
    ToGroup,
    ToUser,
    TypingChanged,
    watchers_group,
)
from shared.domain.ids import ConnectionId, UserId
from shared.domain.limits import Limit
from shared.domain.people.presence import Presence
from shared.domain.people.user import User
from shared.ports import Call
from tests.integration.services.world import (
    LEASE_S,
    Worker,
    World,
    by,
    joins,
    leaves,
    post,
    pushed,
    start,
    start_pair,
)
from tests.unit.things import ANN, BOB, CAT, DAN, NOON

TV = ConnectionId("tv")
PHONE = ConnectionId("phone")


async def test_the_first_connection_is_news_and_the_second_is_not(
    world: World, worker: Worker
) -> None:
    first = await worker.chat.connections.connected(by(ANN, TV), TV)
    second = await worker.chat.connections.connected(by(ANN, PHONE), PHONE)

    online = Presence(ANN, "online", NOON)
    assert pushed(first) == [Push(PresenceChanged((online,)), ToGroup(watchers_group(ANN)))]
    assert pushed(second) == []
    assert world.redis.published == [online]


async def test_the_last_connection_to_end_is_news(world: World, worker: Worker) -> None:
    for connection in (TV, PHONE):
        await worker.chat.connections.connected(by(ANN, connection), connection)

    first = await worker.chat.connections.disconnected(ANN, TV)
    last = await worker.chat.connections.disconnected(ANN, PHONE)

    assert first == []
    assert [one.event for one in pushed(last)] == [
        PresenceChanged((Presence(ANN, "offline", NOON),))
    ]
    assert [one.status for one in world.redis.published] == ["online", "offline"]


async def test_a_lapsed_lease_is_announced_with_the_last_sign_of_life(
    world: World, worker: Worker
) -> None:
    await worker.chat.connections.connected(by(ANN, TV), TV)
    world.clock.advance(LEASE_S + 1)

    effects = await worker.chat.presences.sweep()

    assert [one.event for one in pushed(effects)] == [
        PresenceChanged((Presence(ANN, "offline", NOON),))
    ]
    assert await worker.chat.presences.sweep() == []


async def test_a_heartbeat_counts_what_came_meanwhile(world: World, worker: Worker) -> None:
    conversation = (await start_pair(worker)).conversation
    before, _ = await worker.chat.presences.heartbeat(by(BOB, TV))
    await post(worker, conversation.id, 1)

    beat, _ = await world.worker().chat.presences.heartbeat(by(BOB, TV))

    assert beat.activity - before.activity == 1
    assert beat.server_time == world.clock.now()


async def test_without_live_state_nobody_is_known_to_be_there(world: World, worker: Worker) -> None:
    world.redis_link.down = True
    presences = worker.chat.presences

    assert await worker.chat.connections.connected(by(ANN, TV), TV) == []
    assert (await presences.heartbeat(by(ANN, TV)))[0].activity == 0
    assert await presences.sweep() == []
    shown = await presences.list_presences(by(ANN), [BOB])
    assert [(one.status, one.last_seen_at) for one in shown] == [("offline", None)]
    with pytest.raises(UnavailableError):
        await presences.watch(by(ANN, TV), TV, [BOB])
    with pytest.raises(UnavailableError):
        await worker.chat.connections.disconnected(ANN, TV)


async def test_a_change_that_the_website_misses_is_pushed_all_the_same(
    world: World, worker: Worker
) -> None:
    world.redis_link.fail("publish")

    assert len(pushed(await worker.chat.connections.connected(by(ANN, TV), TV))) == 1


async def test_presences_come_in_the_order_asked(worker: Worker) -> None:
    await worker.chat.connections.connected(by(BOB, TV), TV)
    nobody = UserId("nobody")

    shown = await worker.chat.presences.list_presences(by(ANN), [CAT, nobody, BOB, ANN])

    assert [(one.user_id, one.status) for one in shown] == [
        (CAT, "offline"),
        (nobody, "offline"),
        (BOB, "online"),
        (ANN, "offline"),
    ]


async def test_a_caller_who_is_not_fed_yet_sees_who_is_there(worker: Worker) -> None:
    await worker.chat.connections.connected(by(BOB, TV), TV)

    shown = await worker.chat.presences.list_presences(by(UserId("new")), [BOB])

    assert [one.status for one in shown] == ["online"]


@pytest.mark.parametrize("blocker", [ANN, BOB])
async def test_a_block_hides_presence_both_ways_and_at_once(
    world: World, worker: Worker, blocker: UserId
) -> None:
    other = BOB if blocker == ANN else ANN
    for user, connection in ((ANN, TV), (BOB, PHONE)):
        world.hub.connect(user, connection)
        await worker.chat.connections.connected(by(user, connection), connection)
        watched = BOB if user == ANN else ANN
        _, effects = await worker.chat.presences.watch(by(user, connection), connection, [watched])
        await world.hub.send(effects)
    assert world.hub.audience(watchers_group(BOB)) == {TV}

    await world.hub.send(await worker.chat.accounts.block(by(blocker), other, blocked=True))

    assert world.hub.audience(watchers_group(BOB)) == set()
    assert world.hub.audience(watchers_group(ANN)) == set()
    for user, watched in ((ANN, BOB), (BOB, ANN)):
        (shown,) = await worker.chat.presences.list_presences(by(user), [watched])
        assert (shown.status, shown.last_seen_at) == ("offline", None)
        shown_, joined = await worker.chat.presences.watch(by(user, TV), TV, [watched])
        assert joins(joined) == []
        assert shown_[0].status == "offline"


async def _see_each_other(worker: Worker) -> None:
    for user, connection, watched in ((ANN, TV, BOB), (BOB, PHONE, ANN)):
        await worker.chat.connections.connected(by(user, connection), connection)
        await worker.chat.presences.watch(by(user, connection), connection, [watched])


def _told(effects: list[Effect]) -> set[tuple[UserId, UserId, str]]:
    """Return who is told of whom that they are what."""
    return {
        (one.to.user_id, presence.user_id, presence.status)
        for one in effects
        if isinstance(one, Push)
        and isinstance(one.to, ToUser)
        and isinstance(one.event, PresenceChanged)
        for presence in one.event.presences
    }


@pytest.mark.parametrize("blocker", [ANN, BOB])
async def test_a_block_and_its_end_show_on_both_open_pages_at_once(
    worker: Worker, blocker: UserId
) -> None:
    other = BOB if blocker == ANN else ANN
    await start_pair(worker, ANN, BOB)
    await _see_each_other(worker)

    put = await worker.chat.accounts.block(by(blocker), other, blocked=True)
    lifted = await worker.chat.accounts.block(by(blocker), other, blocked=False)

    assert _told(put) == {(ANN, BOB, "offline"), (BOB, ANN, "offline")}
    assert _told(lifted) == {(ANN, BOB, "online"), (BOB, ANN, "online")}
    assert set(joins(lifted)) == {
        JoinGroup(ToConnection(TV), watchers_group(BOB)),
        JoinGroup(ToConnection(PHONE), watchers_group(ANN)),
    }


async def test_a_block_of_a_stranger_is_not_told_to_them(worker: Worker) -> None:
    await _see_each_other(worker)

    effects = [
        *await worker.chat.accounts.block(by(ANN), BOB, blocked=True),
        *await worker.chat.accounts.block(by(ANN), BOB, blocked=False),
    ]

    assert _told(effects) == set()
    assert joins(effects) == []


async def test_presence_stays_hidden_while_the_other_block_stands(worker: Worker) -> None:
    await start_pair(worker, ANN, BOB)
    await _see_each_other(worker)
    await worker.chat.accounts.block(by(ANN), BOB, blocked=True)
    await worker.chat.accounts.block(by(BOB), ANN, blocked=True)

    effects = await worker.chat.accounts.block(by(ANN), BOB, blocked=False)

    assert _told(effects) == {(ANN, BOB, "offline"), (BOB, ANN, "offline")}
    assert joins(effects) == []


async def test_watching_replaces_what_was_watched(worker: Worker) -> None:
    watch = worker.chat.presences.watch

    shown, first = await watch(by(ANN, TV), TV, [BOB, CAT])
    _, second = await watch(by(ANN, TV), TV, [CAT, DAN])
    _, third = await watch(by(ANN, TV), TV, [CAT, DAN])

    tv = ToConnection(TV)
    assert [one.user_id for one in shown] == [BOB, CAT]
    assert joins(first) == [JoinGroup(tv, watchers_group(one)) for one in (BOB, CAT)]
    assert leaves(second) == [LeaveGroup(tv, watchers_group(BOB))]
    assert joins(second) == [JoinGroup(tv, watchers_group(DAN))]
    assert third == []


async def test_a_user_of_very_many_groups_is_put_into_the_forgotten_ones(
    world: World, worker: Worker
) -> None:
    groups = []
    for _ in range(REMEMBERED + 3):
        groups.append((await start(worker, ANN, BOB)).conversation.id)
        world.clock.advance(1)
    await worker.chat.connections.connected(by(BOB, TV), TV)

    world.hub.remembered[BOB].clear()
    world.hub.connect(BOB, PHONE)
    await world.worker().chat.connections.connected(by(BOB, PHONE), PHONE)

    assert {one for one in groups if world.hub.audience(one) == {PHONE}} == set(groups[:3])


async def test_group_memberships_are_found_in_the_store_when_they_are_lost(
    world: World, worker: Worker
) -> None:
    groups = {(await start(worker, ANN, BOB)).conversation.id for _ in range(REMEMBERED + 1)}
    await start_pair(worker)
    world.redis.flush()

    world.hub.remembered[BOB].clear()
    world.hub.connect(BOB, TV)
    await world.worker().chat.connections.connected(by(BOB, TV), TV)

    assert [one for one in groups if world.hub.audience(one)] != []
    assert world.hub.link.calls["join"] == len(groups) * 2 + 1


async def test_old_group_memberships_are_taken_anew_once(world: World, worker: Worker) -> None:
    group = (await start(worker, ANN, BOB)).conversation
    await worker.chat.connections.connected(by(BOB, TV), TV)
    world.clock.advance(RENEWED_AFTER.total_seconds() + 1)

    world.hub.remembered[BOB].clear()

    await worker.chat.connections.connected(by(BOB, PHONE), PHONE)
    assert list(world.hub.remembered[BOB]) == [group.id]
    world.hub.link.calls.clear()
    await worker.chat.connections.connected(by(BOB, "desk"), ConnectionId("desk"))

    assert not world.hub.link.calls


@pytest.mark.parametrize("down", ["store", "fill_group_memberships", "renew_group_memberships"])
async def test_a_connection_is_online_even_when_its_group_memberships_cannot_be_found(
    world: World, worker: Worker, down: str
) -> None:
    await start(worker, ANN, BOB)
    world.redis.flush()
    world.memberships.link.down = down == "store"
    world.redis_link.fail(down)

    effects = await worker.chat.connections.connected(by(BOB, TV), TV)

    assert [one.event.presences[0].status for one in pushed(effects)] == ["online"]  # type: ignore[union-attr]


async def test_typing_is_told_to_the_others_once_in_a_while(world: World, worker: Worker) -> None:
    pair_ = (await start_pair(worker)).conversation
    group = (await start(worker, ANN, BOB)).conversation
    typing = worker.chat.typing.set_typing

    first = await typing(by(ANN), pair_.id, typing=True)
    soon = await typing(by(ANN), pair_.id, typing=True)
    stopped = await typing(by(ANN), pair_.id, typing=False)
    still = await typing(by(ANN), pair_.id, typing=False)
    grouped = await typing(by(ANN), group.id, typing=True)

    assert first == [Push(TypingChanged(pair_.id, ANN, True), ToUser(BOB))]
    assert stopped == [Push(TypingChanged(pair_.id, ANN, False), ToUser(BOB))]
    assert soon == still == []
    assert grouped == [Push(TypingChanged(group.id, ANN, True), ToGroup(group.id))]
    await typing(by(ANN), pair_.id, typing=True)
    world.clock.advance(3)
    assert len(await typing(by(ANN), pair_.id, typing=True)) == 1


async def test_typing_in_a_large_group_or_without_live_state_is_not_told() -> None:
    crowd = [UserId(f"user-{n}") for n in range(25)]
    world = World([User(one, one) for one in crowd])
    worker = world.worker()
    large = (await start(worker, *crowd[:21])).conversation
    small = (await start(worker, *crowd[:20])).conversation

    assert await worker.chat.typing.set_typing(by(crowd[0]), large.id, typing=True) == []
    world.redis_link.down = True
    assert await worker.chat.typing.set_typing(by(crowd[0]), small.id, typing=True) == []
    world.redis_link.down = False
    assert len(await worker.chat.typing.set_typing(by(crowd[0]), small.id, typing=True)) == 1


async def test_a_limited_call_renews_the_lease_and_tells_later(worker: Worker) -> None:
    limit = ("other", Limit(per_second=1e-9, burst=1))
    await worker.chat.presences.list_presences(Call(ANN, limit=limit), [BOB])

    with pytest.raises(RateLimitedError):
        await worker.chat.presences.heartbeat(Call(ANN, TV, limit))
    shown = await worker.chat.presences.list_presences(by(BOB), [ANN])
    effects = await worker.chat.connections.connected(by(ANN, TV), TV)

    assert [one.status for one in shown] == ["online"]
    assert len(pushed(effects)) == 1
