"""Sync by a cursor: what changed since, all of it, and nothing else."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.conversations.catchup import SyncCursor
from shared.domain.errors import ChatError
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.services.inbox.sync import Since, Synced
from tests.integration.services.world import (
    Worker,
    World,
    by,
    post,
    run,
    sequence,
    start,
    start_pair,
)
from tests.unit.things import ANN, BOB, CAT, DAN, NOON


async def sync(
    worker: Worker,
    since: Since = None,
    positions: Mapping[ConversationId, int] | None = None,
    *,
    user: UserId = BOB,
) -> Synced:
    asked = {one: SequenceNumber(n) for one, n in (positions or {}).items()}
    return await worker.chat.sync.sync(by(user), asked, limit=20, since=since)


async def now(worker: Worker, user: UserId = BOB) -> SyncCursor:
    return (await sync(worker, "now", user=user)).cursor


def ids(answer: Synced) -> list[ConversationId]:
    return [item.conversation_id for item in answer.items]


async def several(world: World, worker: Worker, count: int) -> list[ConversationId]:
    made = []
    for _ in range(count):
        made.append((await start(worker, ANN, BOB)).conversation.id)
        world.clock.advance(1)
    return made


async def test_what_did_not_change_is_left_out(world: World, worker: Worker) -> None:
    first, second, third = await several(world, worker, 3)
    cursor = await now(worker)
    await post(worker, second, 1)

    answer = await sync(worker, cursor)
    again = await sync(worker, answer.cursor)

    assert ids(answer) == [second]
    assert (answer.more, answer.reset, answer.removed) == (False, False, ())
    assert (ids(again), again.more, again.reset) == ([], False, False)
    assert first != third


async def test_what_changed_comes_bare_or_from_its_position(world: World, worker: Worker) -> None:
    near, far = await several(world, worker, 2)
    for number in range(3):
        await post(worker, near, number)
        await post(worker, far, number)
    cursor = await now(worker)
    await post(worker, near, 7)
    world.clock.advance(1)
    await post(worker, far, 8)

    answer = await sync(worker, cursor, {near: 1})

    bare, full = answer.items
    assert (bare.conversation_id, bare.latest, bare.messages, bare.complete) == (far, 4, [], False)
    assert [message.sequence for message, _ in full.messages] == [2, 3, 4]
    assert (full.conversation_id, full.complete) == (near, True)
    for item in answer.items:
        assert item.inbox_item is not None
        assert item.inbox_item.row.conversation.id == item.conversation_id
        assert item.inbox_item.unread_count == 4


@pytest.mark.parametrize("kind", ["own receipt", "other's", "mute", "title", "member", "block"])
async def test_each_kind_of_change_comes(world: World, worker: Worker, kind: str) -> None:
    if kind in {"own receipt", "other's", "block"}:
        changed = (await start_pair(worker)).conversation.id
    else:
        changed = (await start(worker, BOB, ANN)).conversation.id
    await post(worker, changed, 1)
    await several(world, worker, 2)
    cursor = await now(worker)

    match kind:
        case "own receipt" | "other's":
            who = BOB if kind == "own receipt" else ANN
            await worker.chat.receipts.acknowledge(
                by(who), changed, delivered=None, read=sequence(1)
            )
        case "mute":
            await worker.chat.muting.mute(by(BOB), changed, until=NOON)
        case "title":
            await worker.chat.conversations.rename(by(BOB), changed, title="New")
        case "member":
            await worker.chat.conversations.add_members(by(BOB), changed, user_ids=[CAT])
        case _:
            await worker.chat.accounts.people.set_block(ANN, BOB, blocked=True)

    assert ids(await sync(world.worker(), cursor)) == [changed]


async def test_receipts_of_a_group_come_with_the_next_flush(world: World, worker: Worker) -> None:
    group = (await start(worker, ANN, BOB, CAT)).conversation.id
    await post(worker, group, 1)
    await worker.chat.receipt_flush.flush()
    cursor = await now(worker)
    await worker.chat.receipts.acknowledge(by(CAT), group, delivered=None, read=sequence(1))

    before = await sync(worker, cursor)
    await world.worker().chat.receipt_flush.flush()
    after = await sync(worker, before.cursor)

    assert (ids(before), ids(after)) == ([], [group])


async def test_a_conversation_that_was_left_is_named(world: World, worker: Worker) -> None:
    group = (await start(worker, ANN, BOB, CAT)).conversation.id
    (other,) = await several(world, worker, 1)
    cursor = await now(worker)
    await worker.chat.conversations.remove_member(by(ANN), group, user_id=BOB)
    await post(worker, other, 1)

    answer = await sync(world.worker(), cursor, {group: 1})
    again = await sync(worker, answer.cursor)

    assert (ids(answer), answer.removed) == ([other], (group,))
    assert (again.items, again.removed) == ([], ())


async def test_one_who_was_added_hears_of_it(worker: Worker) -> None:
    group = (await start(worker, ANN, BOB)).conversation.id
    cursor = await now(worker, CAT)
    await worker.chat.conversations.add_members(by(ANN), group, user_ids=[CAT])

    (item,) = (await sync(worker, cursor, user=CAT)).items

    assert (item.conversation_id, item.latest, item.complete) == (group, 1, False)


@pytest.mark.parametrize("how", ["lost", "down", "restarted", "unreadable", "ahead"])
async def test_a_cursor_that_cannot_be_honoured_counts_as_none(
    world: World, worker: Worker, how: str
) -> None:
    conversation = (await start_pair(worker)).conversation.id
    await post(worker, conversation, 1)
    since: Since = await now(worker)
    if how == "lost":
        world.redis.flush()
    elif how == "restarted":
        world.redis.restore(world.redis.snapshot())
    elif how == "down":
        world.redis_link.down = True
    elif how == "unreadable":
        since = "unreadable"
    else:
        assert isinstance(since, SyncCursor)
        since = replace(since, at=since.at + 1_000_000)

    answer = await sync(worker, since)
    known = await sync(worker, since, {conversation: 1})

    (item,) = answer.items
    assert (answer.reset, [message.sequence for message, _ in item.messages]) == (True, [1])
    assert (known.reset, known.items) == (True, [])


async def test_without_live_state_a_client_past_what_was_recorded_lacks_nothing(
    world: World, worker: Worker
) -> None:
    conversation = (await start_pair(worker)).conversation.id
    for number in (1, 2, 3):  # none of them flushed: the recorded head is 0
        await post(worker, conversation, number)
    world.redis_link.down = True

    answer = await sync(worker, None, {conversation: 1})

    (item,) = answer.items
    assert [message.sequence for message, _ in item.messages] == [2, 3]


async def test_a_cursor_made_without_live_state_is_not_honoured(
    world: World, worker: Worker
) -> None:
    (conversation,) = await several(world, worker, 1)
    world.redis_link.down = True
    cursor = (await sync(worker)).cursor
    world.redis_link.down = False

    answer = await sync(worker, cursor, {conversation: 0})

    assert answer.reset


async def test_very_many_changes_come_in_several_answers(world: World, worker: Worker) -> None:
    made = await several(world, worker, 120)
    cursor = await now(worker)
    for one in made:
        await post(worker, one, 1)
    sizes, found, more = [], [], True

    while more:
        answer = await sync(worker, cursor)
        cursor, more = answer.cursor, answer.more
        sizes.append(len(answer.items))
        found += ids(answer)

    assert sizes == [50, 50, 20]
    assert sorted(found) == sorted(made)


async def test_a_first_pass_of_several_answers_ends_with_the_cursor_of_its_beginning(
    world: World, worker: Worker
) -> None:
    made = await several(world, worker, 70)
    for one in made:
        await post(worker, one, 1)
    positions: dict[ConversationId, int] = {}
    first = await sync(worker)
    positions |= {item.conversation_id: item.latest for item in first.items}
    early = first.items[0].conversation_id
    await worker.chat.muting.mute(by(BOB), early, until=NOON)

    second = await sync(worker, first.cursor, positions)
    third = await sync(worker, second.cursor)

    assert [len(first.items), len(second.items)] == [50, 20]
    assert [first.more, second.more, second.reset] == [True, False, False]
    assert early in ids(third)


async def test_nothing_new_costs_the_same_of_ten_and_of_a_thousand(
    world: World, worker: Worker
) -> None:
    costs = []
    for count in (10, 990):
        await several(world, worker, count)
        cursor = await now(worker)
        fresh = world.worker()
        world.redis_link.calls.clear()

        assert (await sync(fresh, cursor)).items == []

        assert not fresh.conversations.link.calls
        assert not fresh.messages.link.calls
        costs.append(dict(world.redis_link.calls))
    assert costs == [{"enter": 1, "touches": 1}] * 2


async def test_a_new_device_is_answered_without_a_look_at_every_conversation(
    world: World, worker: Worker
) -> None:
    await several(world, worker, 600)
    await sync(worker)
    fresh = world.worker()
    world.redis_link.calls.clear()

    answer = await sync(fresh)

    assert (len(answer.items), answer.more) == (50, True)
    assert world.redis_link.calls["summaries"] == 2


ACT = st.tuples(
    st.sampled_from(["post", "post", "read", "mute", "remove", "add", "flush", "lose"]),
    st.integers(0, 2),
)
ROUNDS = st.lists(st.lists(ACT, min_size=1, max_size=3), min_size=1, max_size=8)


@settings(max_examples=100, deadline=None)
@given(rounds=ROUNDS, seed=st.integers(0, 2**16))
def test_whatever_happens_while_a_client_syncs_it_ends_with_what_the_inbox_shows(
    rounds: list[list[tuple[str, int]]], seed: int
) -> None:
    """Changes and syncs run at once, their round trips in any order, again and again.

    The client keeps what the answers say and nothing else. At the end it must show what a fresh
    inbox shows: no touch hid behind a cursor.
    """

    async def check() -> None:
        world, dice = World(), random.Random(seed)

        async def pause(_name: str) -> None:
            for _ in range(dice.randrange(12)):
                await asyncio.sleep(0)

        workers = [world.worker(), world.worker()]
        groups = [(await start(workers[0], ANN, BOB, CAT)).conversation.id for _ in range(3)]
        client = Client(workers[1])
        await client.load()
        world.redis_link.pause = pause
        for number, acts in enumerate(rounds):
            running = [
                act(world, workers[at % 2], what, groups[which], 10 * number + at)
                for at, (what, which) in enumerate(acts)
            ]
            done = await asyncio.gather(*running, client.sync(times=3), return_exceptions=True)
            assert all(one is None or isinstance(one, ChatError) for one in done), done
        await workers[0].chat.receipt_flush.flush()
        await client.sync()

        assert client.shown == await client.fresh()

    run(check())


async def act(world: World, worker: Worker, what: str, group: ConversationId, number: int) -> None:
    chat = worker.chat
    match what:
        case "post":
            await post(worker, group, number)
        case "read":
            await chat.receipts.acknowledge(by(BOB), group, delivered=None, read=sequence(1))
        case "mute":
            until = world.clock.now().replace(year=2999) if number % 2 else None
            await chat.muting.mute(by(BOB), group, until=until)
        case "remove":
            await chat.conversations.remove_member(by(ANN), group, user_id=BOB)
        case "add":
            await chat.conversations.add_members(by(ANN), group, user_ids=[BOB, DAN])
        case "flush":
            await chat.receipt_flush.flush()
        case _:
            await chat.receipt_flush.flush()
            world.redis.flush()


class Client:
    """What a client holds: the inbox once, then what syncs answer."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._cursor: SyncCursor | None = None
        self.shown: dict[ConversationId, tuple[int, int, bool]] = {}

    async def load(self) -> None:
        self._cursor = await now(self._worker)
        self.shown = await self.fresh()

    async def fresh(self) -> dict[ConversationId, tuple[int, int, bool]]:
        page = await self._worker.chat.inbox.list_conversations(by(BOB), limit=100, after=None)
        return {
            one.row.conversation.id: (one.row.head.sequence, one.unread_count, one.muted)
            for one in page.items
        }

    async def sync(self, *, times: int = 1) -> None:
        for _ in range(times):
            more = True
            while more:
                answer = await sync(self._worker, self._cursor)
                if answer.reset:
                    await self.load()
                    break
                for item in answer.items:
                    row = item.inbox_item
                    assert row is not None
                    self.shown[item.conversation_id] = item.latest, row.unread_count, row.muted
                for one in answer.removed:
                    self.shown.pop(one, None)
                self._cursor, more = answer.cursor, answer.more
