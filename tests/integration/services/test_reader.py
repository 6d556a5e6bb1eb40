"""Caches and recovery: bounded, never newer than true, never behind for long."""

from dataclasses import replace

import pytest

from shared.domain.errors import UnavailableError
from shared.domain.ids import SequenceNumber
from shared.services.conversations import conversation_cache as caches
from shared.services.messages import sequencer as sequencers
from tests.integration.services.world import Worker, World, by, post, start, start_pair
from tests.unit.things import ANN, BOB, client_id


async def test_no_more_conversations_are_kept_than_fit(
    world: World, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caches, "_MAX_CACHED", 2)
    groups = [(await start(worker, ANN, BOB)).conversation for _ in range(3)]
    for number, group in enumerate(groups):
        await post(worker, group.id, number)
    link = worker.conversations.link
    link.calls.clear()

    await worker.chat.history.open(by(ANN), groups[2].id)
    assert link.calls["find"] == 0
    await worker.chat.history.open(by(ANN), groups[0].id)

    assert link.calls["find"] == 1


async def test_no_more_buckets_are_remembered_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequencers, "_MAX_CACHED", 1)
    world = World(settings={"CHAT_BUCKET_SIZE": "1"})
    worker = world.worker()
    places = [(await start(worker, ANN, BOB)).conversation.id for _ in range(2)]
    for number, place in enumerate([*places, *places]):
        await post(worker, place, number)
    sequencer = worker.chat.posting.writer.sequencer

    for place in places:
        first_of_its_bucket = world.stored(place)[1]
        await sequencer.store(
            replace(first_of_its_bucket, client_message_id=client_id(99)),
            head=SequenceNumber(1),
            retry=False,
        )

    assert [len(world.stored(place)) for place in places] == [3, 3]


async def test_a_head_that_only_this_worker_knows_holds_for_it(
    world: World, worker: Worker
) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    world.redis_link.fail("record_sent")
    await post(worker, conversation_id, 1)

    opened = await worker.chat.history.list_messages(
        by(ANN), conversation_id, before=None, after=None, limit=5
    )

    assert opened.latest == 1


async def test_a_head_that_the_store_does_not_show_yet_is_not_made_known(
    world: World, worker: Worker
) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    await post(worker, conversation_id, 1)
    await worker.chat.receipt_flush.flush()
    world.redis.flush()
    other = world.worker()
    other.messages.replica.lag(1, reads=99)

    opened = await other.chat.history.open(by(BOB), conversation_id)

    assert opened.latest == 1
    assert not (await world.live.head(conversation_id)).is_cached
    with pytest.raises(UnavailableError):
        await other.chat.history.list_messages(
            by(BOB), conversation_id, before=None, after=None, limit=5
        )


async def test_a_copy_newer_than_what_a_lagging_store_shows_is_kept(
    world: World, worker: Worker
) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation
    other = world.worker()
    other.conversations.replica.lag(1, reads=9)
    newer = replace(conversation, version=2, title="Lake")
    await worker.conversations.replace(newer)
    world.redis.flush()

    head, _ = await other.chat.history.reader.reconcile(newer)

    assert (head.version, head.sequence) == (2, SequenceNumber(0))
    assert (await world.live.head(conversation.id)).version == 2


async def test_a_conversation_that_was_never_stored_has_an_empty_end(
    world: World, worker: Worker
) -> None:
    stray = replace(
        (await start(worker, ANN)).conversation, id=(await start_pair(worker)).conversation.id
    )
    world.conversation_table.logs.clear()

    head, receipts = await worker.chat.history.reader.reconcile(stray)

    assert (head.sequence, receipts) == (0, {})
