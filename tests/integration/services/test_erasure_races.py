"""An erasure beside sends, calls and connections of the erased, over twins and virtual time.

Calls to the services are held up here, as a slow worker or store would hold them up, so that what
was let in before the erasure lands in the middle of it, or long after it said that it was done.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from shared.domain.errors import AccountErasedError, NotFoundError
from shared.domain.events import ToUser
from shared.domain.ids import ConnectionId, ConversationId, UserId
from shared.domain.people.presence import Presence
from tests.integration.services.test_privacy import erase, post_picture, removed
from tests.integration.services.world import (
    Worker,
    World,
    by,
    device,
    post,
    pushed,
    start,
    start_pair,
)
from tests.unit.things import ANN, BOB, CAT

SENDERS = 15


def content(world: World, conversation_id: ConversationId, sender: UserId = ANN) -> list[str]:
    """Return the bodies of *sender*'s that are left, in the store and in live state."""
    hot = world.redis.data.conversations.get(conversation_id)
    last = [hot.last] if hot and hot.last else []
    everything = [*world.stored(conversation_id), *last]
    return [one.body for one in everything if one.sender_id == sender and not one.is_erased]


def slow(names: set[str], seconds: float) -> Callable[[str], Awaitable[None]]:
    async def pause(name: str) -> None:
        await asyncio.sleep(seconds if name in names else 0)

    return pause


async def test_a_send_that_lands_after_the_erasure_is_refused_and_empty(
    world: World, worker: Worker
) -> None:
    group = (await start(worker, BOB, ANN)).conversation
    late = world.worker()
    late.messages.link.pause = slow({"append"}, 6)
    sending = asyncio.create_task(post(late, group.id, 1, body="late"))
    await asyncio.sleep(1)

    steps = await erase(worker)
    assert not sending.done()

    with pytest.raises(NotFoundError):
        await sending
    assert steps[-1].position is None
    assert [(one.sequence, one.body) for one in world.stored(group.id)] == [(1, "")]
    assert content(world, group.id) == []


async def test_the_feed_empties_what_a_dying_worker_left(world: World, worker: Worker) -> None:
    group = (await start(worker, BOB, ANN)).conversation
    await post_picture(world, worker, group.id)
    late = list(world.stored(group.id))
    await erase(worker)
    world.message_table.logs[group.id][:] = late  # as a worker stored it that died before it told
    await post(worker, group.id, 2, BOB, body="of bob's own")

    shown = await worker.chat.eraser.empty_late(world.stored(group.id))

    assert [one.body for one in shown] == ["", "of bob's own"]
    assert content(world, group.id) == []
    assert content(world, group.id, BOB) == ["of bob's own"] * 2
    assert world.blobs.thumbnails == {}


async def test_losing_live_state_brings_nobody_back(world: World, worker: Worker) -> None:
    group = (await start(worker, BOB, ANN)).conversation
    await post(worker, group.id, 1, body="late")
    late = list(world.stored(group.id))
    await erase(worker)
    world.message_table.logs[group.id][:] = late
    world.redis.flush()

    for _ in range(2):  # the store tells the first time, live state the second
        with pytest.raises(AccountErasedError):
            await worker.chat.presences.heartbeat(by(ANN, "tv"))
        assert world.redis.data.forget(ANN) == 0
    world.redis.flush()
    await worker.chat.eraser.empty_late(late)

    assert content(world, group.id) == []


async def test_every_call_of_an_erased_user_is_refused_and_leaves_no_key(
    world: World, worker: Worker
) -> None:
    pair = (await start_pair(worker)).conversation
    await worker.chat.connections.connected(by(ANN, "tv"), ConnectionId("tv"))
    await erase(worker)
    chat, me = worker.chat, by(ANN, "tv")

    for refused in (
        chat.presences.heartbeat(me),
        chat.presences.watch(me, ConnectionId("tv"), [BOB]),
        chat.presences.list_presences(me, [BOB]),
        chat.accounts.contacts(me),
        chat.devices.subscribe(me, device("new")),
        chat.inbox.list_conversations(me, limit=10, after=None),
    ):
        with pytest.raises(AccountErasedError):
            await refused
    for unknown in (
        chat.typing.set_typing(me, pair.id, typing=True),
        chat.history.list_messages(me, pair.id, before=None, after=None, limit=10),
        post(worker, pair.id, 1),
    ):
        with pytest.raises(NotFoundError):
            await unknown
    await chat.connections.disconnected(ANN, ConnectionId("tv"))
    world.clock.advance(600)
    assert await chat.presences.sweep() == []

    assert world.redis.data.forget(ANN) == 0
    (seen,) = await chat.presences.list_presences(by(BOB), [ANN])
    assert seen == Presence(ANN, "offline", None)


async def test_the_connections_of_an_erased_user_are_closed_and_none_stays_open(
    world: World, worker: Worker
) -> None:
    for name, user in (("tv", ANN), ("phone", ANN), ("desk", BOB)):
        world.hub.connect(user, ConnectionId(name))

    await erase(worker)
    assert {user for user, _ in world.hub.connections.values()} == {BOB}
    world.hub.connect(ANN, ConnectionId("old"))  # with a connection token got before
    effects = await worker.chat.connections.connected(by(ANN, "old"), ConnectionId("old"))

    assert effects == []
    assert {user for user, _ in world.hub.connections.values()} == {BOB}
    assert world.redis.data.forget(ANN) == 0


async def test_an_open_page_is_told_what_to_drop_before_it_is_closed(
    world: World, worker: Worker
) -> None:
    await start_pair(worker)
    world.hub.connect(ANN, ConnectionId("tv"))
    told: list[int] = []
    position = (await worker.chat.erasure.step(ANN, None)).position
    while position is not None:
        step = await worker.chat.erasure.step(ANN, position)
        told += [
            len(world.hub.connections) for one in pushed(step.effects) if one.to == ToUser(ANN)
        ]
        position = step.position

    assert told == [1]


@pytest.mark.parametrize("seed", range(12))
async def test_nothing_of_fifteen_senders_is_left_however_they_interleave(
    world: World, worker: Worker, seed: int
) -> None:
    chance = random.Random(seed)
    group = (await start(worker, BOB, ANN)).conversation
    workers = [world.worker() for _ in range(3)]
    for one in (*workers, worker):
        one.messages.link.pause = _somewhen(chance)
    world.redis_link.pause = _somewhen(chance)
    acknowledged = 0

    async def send(number: int) -> None:
        nonlocal acknowledged
        for attempt in range(40):
            try:
                await post(workers[number % 3], group.id, number * 100 + attempt, body="secret")
            except NotFoundError:
                return
            acknowledged += 1

    senders = [asyncio.create_task(send(number)) for number in range(SENDERS)]
    await asyncio.sleep(0.5)
    steps = await erase(worker)
    await asyncio.gather(*senders)

    assert acknowledged
    assert content(world, group.id) == []
    assert [one.sequence for one in world.stored(group.id)] == list(
        range(1, len(world.stored(group.id)) + 1)
    )
    assert removed(steps)["contents of messages"] <= len(world.stored(group.id))


async def test_it_is_done_only_when_a_whole_look_finds_nothing(
    world: World, worker: Worker
) -> None:
    group = (await start(worker, BOB, ANN)).conversation
    await post(worker, group.id, 1, body="late")
    late = world.stored(group.id)[0]
    position, looks = None, 0
    while True:
        step = await worker.chat.erasure.step(ANN, position)
        position = step.position
        if position is None:
            break
        if position.look == 2 and looks < 3:  # another lands behind each look
            looks += 1
            world.message_table.logs[group.id][:] = [late]
    assert looks == 3

    assert content(world, group.id) == []


async def test_a_device_that_subscribes_meanwhile_is_not_remembered(
    world: World, worker: Worker
) -> None:
    async def pause(name: str) -> None:
        if name == "replace":
            world.users.link.pause = slow(set(), 0)
            await erase(world.worker())

    await worker.chat.accounts.contacts(by(ANN))
    world.users.link.pause = pause

    with pytest.raises(AccountErasedError):
        await worker.chat.devices.subscribe(by(ANN), device("new"))

    user = await world.users.find(ANN)
    assert user is not None
    assert (user.erased, user.subscriptions) == (True, ())


async def test_ordinary_senders_cost_the_users_store_nothing(world: World, worker: Worker) -> None:
    group = (await start(worker, BOB, CAT)).conversation
    await post(worker, group.id, 1, BOB)
    before, trips = world.users.link.calls.copy(), world.redis_link.calls.copy()

    for number in range(2, 12):
        await post(worker, group.id, number, BOB)
    await worker.chat.eraser.empty_late(world.stored(group.id))

    assert world.users.link.calls == before
    spent = world.redis_link.calls - trips
    assert spent == {"enter_conversation": 10, "record_sent": 10, "list_states": 1}


def _somewhen(chance: random.Random) -> Callable[[str], Awaitable[None]]:
    async def pause(_name: str) -> None:
        await asyncio.sleep(chance.random() * 0.05)

    return pause
