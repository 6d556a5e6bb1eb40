"""History and catching up: complete, or says that it is not."""

from collections.abc import Mapping
from typing import override

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.errors import NotFoundError, UnavailableError
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.domain.messages.message import Message, Status
from shared.services.inbox.sync import SyncItem
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
from tests.twins.messages import MemoryMessageStore
from tests.unit.things import ANN, BOB, CAT, GROUP


async def talk(worker: Worker, count: int, *members: UserId) -> ConversationId:
    conversation = (await start(worker, *(members or (ANN, BOB)))).conversation
    for number in range(count):
        await post(worker, conversation.id, number)
    return conversation.id


async def listed(
    worker: Worker,
    conversation_id: ConversationId,
    user: UserId = BOB,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = 50,
) -> tuple[list[int], int]:
    page = await worker.chat.history.list_messages(
        by(user),
        conversation_id,
        before=None if before is None else sequence(before),
        after=None if after is None else sequence(after),
        limit=limit,
    )
    return [message.sequence for message, _ in page.messages], page.latest


async def synced(
    worker: Worker,
    positions: Mapping[ConversationId, int] | None = None,
    *,
    user: UserId = BOB,
    limit: int = 50,
) -> dict[ConversationId, SyncItem]:
    asked = {one: SequenceNumber(n) for one, n in (positions or {}).items()}
    answer = await worker.chat.sync.sync(by(user), asked, limit=limit, since=None)
    assert not answer.more
    return {item.conversation_id: item for item in answer.items}


@pytest.mark.parametrize(
    ("before", "after", "limit", "expected"),
    [
        (None, None, 3, [5, 6, 7]),
        (None, None, 50, [1, 2, 3, 4, 5, 6, 7]),
        (4, None, 2, [2, 3]),
        (1, None, 2, []),
        (0, None, 2, []),
        (99, None, 2, [6, 7]),
        (None, 0, 2, [1, 2]),
        (None, 5, 50, [6, 7]),
        (None, 7, 50, []),
        (None, 99, 50, []),
        (6, 2, 50, [3, 4, 5]),
        (6, 2, 2, [3, 4]),
        (3, 2, 50, []),
    ],
)
async def test_history_is_paged_by_sequence(
    before: int | None, after: int | None, limit: int, expected: list[int]
) -> None:
    world = World(settings={"CHAT_BUCKET_SIZE": "3"})
    worker = world.worker()
    conversation_id = await talk(worker, 7)

    shown, latest = await listed(worker, conversation_id, before=before, after=after, limit=limit)

    assert (shown, latest) == (expected, 7)


async def test_an_empty_conversation_has_an_empty_history(worker: Worker) -> None:
    conversation_id = await talk(worker, 0)

    assert await listed(worker, conversation_id) == ([], 0)


async def test_a_newcomer_pages_from_where_their_history_begins(worker: Worker) -> None:
    conversation_id = await talk(worker, 5)
    await worker.chat.conversations.add_members(by(ANN), conversation_id, user_ids=[CAT])
    await post(worker, conversation_id, 9)

    assert await listed(worker, conversation_id, CAT) == ([6, 7], 7)
    assert await listed(worker, conversation_id, CAT, before=6) == ([], 7)
    assert await listed(worker, conversation_id, CAT, after=0, limit=2) == ([6, 7], 7)


async def test_a_stranger_reads_nothing(worker: Worker) -> None:
    conversation_id = await talk(worker, 1)

    for user, place in ((CAT, conversation_id), (ANN, GROUP)):
        with pytest.raises(NotFoundError):
            await listed(worker, place, user)


@pytest.mark.parametrize(
    ("delivered", "read", "statuses"),
    [
        (0, 0, ["sent", "sent"]),
        (2, 0, ["delivered", "delivered"]),
        (2, 1, ["read", "delivered"]),
        (2, 2, ["read", "read"]),
    ],
)
async def test_the_sender_sees_how_far_the_others_are(
    worker: Worker, delivered: int, read: int, statuses: list[Status]
) -> None:
    conversation_id = await talk(worker, 2)
    await worker.chat.receipts.acknowledge(
        by(BOB), conversation_id, delivered=sequence(delivered), read=sequence(read)
    )

    page = await worker.chat.history.list_messages(
        by(ANN), conversation_id, before=None, after=None, limit=10
    )

    assert [status for _, status in page.messages] == statuses


async def test_who_came_later_does_not_hold_back_what_they_cannot_see(worker: Worker) -> None:
    conversation_id = await talk(worker, 1)
    await worker.chat.receipts.acknowledge(
        by(BOB), conversation_id, delivered=None, read=sequence(1)
    )
    await worker.chat.conversations.add_members(by(ANN), conversation_id, user_ids=[CAT])

    page = await worker.chat.history.list_messages(
        by(ANN), conversation_id, before=sequence(2), after=None, limit=10
    )

    assert [status for _, status in page.messages] == ["read"]


async def test_a_page_behind_its_writer_is_read_again(world: World, worker: Worker) -> None:
    conversation_id = await talk(worker, 5)
    other = world.worker()
    other.messages.replica.lag(3, reads=4)

    assert await listed(other, conversation_id) == ([1, 2, 3, 4, 5], 5)


async def test_a_store_that_lags_for_long_is_unavailable_rather_than_short(
    world: World, worker: Worker
) -> None:
    conversation_id = await talk(worker, 5)
    other = world.worker()
    other.messages.replica.lag(1, reads=99)

    with pytest.raises(UnavailableError):
        await listed(other, conversation_id)
    with pytest.raises(UnavailableError):
        await synced(other)


async def test_a_message_that_live_state_does_not_know_of_is_shown(
    world: World, worker: Worker
) -> None:
    conversation_id = await talk(worker, 2)
    world.redis_link.fail("record_sent")
    await post(worker, conversation_id, 3)

    assert await listed(world.worker(), conversation_id) == ([1, 2, 3], 3)
    assert await listed(world.worker(), conversation_id, after=1) == ([2, 3], 3)


class Patchy(MemoryMessageStore):
    """Shows the last bucket before the one before it: partitions may lag each on its own."""

    hides = 3

    @override
    async def list_range(
        self, conversation_id: ConversationId, first: SequenceNumber, last: SequenceNumber
    ) -> list[Message]:
        self.hides -= 1
        found = await super().list_range(conversation_id, first, last)
        return [one for one in found if self.hides < 0 or one.sequence != 2]


async def test_a_hole_is_never_shown(world: World, worker: Worker) -> None:
    conversation_id = await talk(worker, 3)
    world.redis_link.fail("record_sent")
    await post(worker, conversation_id, 9)
    patchy = Patchy(bucket_size=1, table=world.message_table)
    history = world.worker(messages=patchy).chat.history

    page = await history.list_messages(by(BOB), conversation_id, before=None, after=None, limit=4)

    assert [message.sequence for message, _ in page.messages] == [1, 2, 3, 4]


async def test_a_client_that_has_everything_is_told_nothing(worker: Worker) -> None:
    conversation_id = await talk(worker, 3)

    assert await synced(worker, {conversation_id: 3}) == {}


async def test_what_a_client_lacks_is_sent_whole_or_marked(worker: Worker) -> None:
    near, far, new = [await talk(worker, 7) for _ in range(3)]

    found = await synced(worker, {near: 4, far: 3}, limit=3)

    sent = {
        one: ([message.sequence for message, _ in item.messages], item.complete)
        for one, item in found.items()
    }
    assert sent == {near: ([5, 6, 7], True), far: ([5, 6, 7], False), new: ([5, 6, 7], False)}
    assert {item.latest for item in found.values()} == {7}


async def test_a_conversation_that_is_not_the_callers_is_passed_over(worker: Worker) -> None:
    conversation_id = await talk(worker, 3, ANN, CAT)

    assert await synced(worker, {conversation_id: 0, GROUP: 0}) == {}


async def test_a_newcomer_lacks_only_what_they_can_see(worker: Worker) -> None:
    conversation_id = await talk(worker, 5)
    await worker.chat.conversations.add_members(by(ANN), conversation_id, user_ids=[CAT])

    (item,) = (await synced(worker, user=CAT)).values()

    assert [message.sequence for message, _ in item.messages] == [6]
    assert item.complete


async def test_of_very_many_conversations_the_newest_come_first_and_the_rest_later(
    world: World, worker: Worker
) -> None:
    newest_first: list[ConversationId] = []
    for _ in range(120):
        newest_first.insert(0, await talk(worker, 1))
        world.clock.advance(1)
    positions: dict[ConversationId, SequenceNumber] = {}
    rounds = []
    more = True

    while more:
        answer = await worker.chat.sync.sync(by(BOB), positions, limit=10, since=None)
        more = answer.more
        rounds.append(len(answer.items))
        assert all(item.complete for item in answer.items)
        positions |= {item.conversation_id: item.latest for item in answer.items}

    assert rounds == [50, 50, 20]
    assert list(positions) == newest_first


async def test_without_live_state_a_client_catches_up_from_the_store(
    world: World, worker: Worker
) -> None:
    conversation = (await start_pair(worker)).conversation
    await post(worker, conversation.id, 1)
    world.redis_link.down = True

    (item,) = (await synced(world.worker())).values()

    assert [message.sequence for message, _ in item.messages] == [1]


@settings(max_examples=80, deadline=None)
@given(
    count=st.integers(0, 9),
    position=st.integers(0, 12),
    limit=st.integers(1, 6),
    bucket_size=st.integers(1, 4),
    lost=st.booleans(),
    lag=st.integers(0, 3),
)
def test_whoever_syncs_and_pages_back_has_everything(
    count: int, position: int, limit: int, bucket_size: int, lost: bool, lag: int
) -> None:
    async def check() -> None:
        world = World(settings={"CHAT_BUCKET_SIZE": str(bucket_size)})
        worker = world.worker()
        conversation_id = await talk(worker, count)
        if lost:
            await worker.chat.receipt_flush.flush()
            world.redis.flush()
        other = world.worker()
        other.messages.replica.lag(lag, reads=4)

        found = await synced(other, {conversation_id: position}, limit=limit)

        if count <= position:
            assert found == {}
            return
        item = found[conversation_id]
        have = [int(message.sequence) for message, _ in item.messages]
        if not item.complete:
            before = have[0]
            while before > position + 1:
                older, _ = await listed(other, conversation_id, before=before, limit=limit)
                have, before = older + have, older[0]
        assert [n for n in have if n > position] == list(range(position + 1, count + 1))

    run(check())


async def test_a_sync_reads_the_receipts_of_all_its_conversations_in_one_round_trip() -> None:
    world = World()
    worker = world.worker()
    for number in range(12):
        conversation = (await start(worker, ANN, BOB, title=str(number))).conversation
        await post(worker, conversation.id, number)
    before = world.redis_link.calls["receipts"]

    found = await synced(worker)

    assert len(found) == 12
    assert world.redis_link.calls["receipts"] - before == 1
