"""Sending at once, from several workers, to a store that lags."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.errors import (
    InvalidError,
    UnavailableError,
)
from shared.domain.ids import SequenceNumber
from tests.integration.services.world import (
    Worker,
    World,
    by,
    post,
    start,
    start_pair,
)
from tests.unit.things import ANN, BOB, CAT, client_id


@pytest.mark.parametrize("number", [0, 2, 99])
async def test_a_reply_answers_a_message_that_is_there(worker: Worker, number: int) -> None:
    conversation = (await start_pair(worker)).conversation
    await post(worker, conversation.id, 1)

    answered = await post(worker, conversation.id, 2, reply_to=SequenceNumber(1))

    assert answered.message.reply_to == 1
    with pytest.raises(InvalidError, match="replyTo"):
        await post(worker, conversation.id, 3, reply_to=SequenceNumber(number + (number == 2)))


async def test_a_newcomer_answers_only_what_they_can_see(worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB)).conversation
    await post(worker, conversation.id, 1)
    await worker.chat.conversations.add_members(by(ANN), conversation.id, user_ids=[CAT])

    with pytest.raises(InvalidError, match="replyTo"):
        await post(worker, conversation.id, 2, CAT, reply_to=SequenceNumber(1))


async def test_many_at_once_on_several_workers_leave_no_gap(world: World, worker: Worker) -> None:
    conversation = (await start(worker, ANN, BOB, CAT)).conversation
    workers = [worker, world.worker(), world.worker()]

    posted = await asyncio.gather(
        *(
            post(workers[n % 3], conversation.id, n, user)
            for n in range(10)
            for user in (ANN, BOB, CAT)
        )
    )

    assert sorted(one.message.sequence for one in posted) == list(range(1, 31))
    pairs = {(one.sender_id, one.client_message_id) for one in world.stored(conversation.id)}
    assert len(pairs) == 30


async def test_two_attempts_over_a_buckets_end_store_one_message() -> None:
    world = World(settings={"CHAT_BUCKET_SIZE": "2"})
    one, other = world.worker(), world.worker()
    conversation = (await start_pair(one)).conversation
    await post(one, conversation.id, 1)

    posted = await asyncio.gather(
        post(one, conversation.id, 2),
        post(other, conversation.id, 3, BOB),
        post(other, conversation.id, 2, retry=True),
    )

    stored = world.stored(conversation.id)
    assert [message.sequence for message in stored] == [1, 2, 3]
    assert posted[0].message == posted[2].message
    assert {message.client_message_id for message in stored} == {client_id(n) for n in (1, 2, 3)}


async def test_the_first_message_of_an_old_bucket_is_looked_for_once(world: World) -> None:
    world = World(settings={"CHAT_BUCKET_SIZE": "2"})
    worker = world.worker()
    conversation = (await start_pair(worker)).conversation
    for number in range(3):
        await post(worker, conversation.id, number)
    world.clock.advance(timedelta(hours=1).total_seconds())
    worker.messages.link.calls.clear()

    await post(worker, conversation.id, 3)

    assert dict(worker.messages.link.calls) == {"age_s": 1, "append": 1}


async def test_a_store_that_lags_for_long_is_unavailable_rather_than_wrong() -> None:
    world = World(settings={"CHAT_BUCKET_SIZE": "1"})
    worker, other = world.worker(), world.worker()
    conversation = (await start_pair(worker)).conversation
    await post(worker, conversation.id, 1)
    other.messages.replica.lag(9, reads=99)

    with pytest.raises(UnavailableError):
        await post(other, conversation.id, 2, BOB)

    other.messages.replica.lag(0, reads=0)
    assert (await post(other, conversation.id, 2, BOB, retry=True)).message.sequence == 2


async def test_a_conversation_that_others_always_win_is_unavailable(
    world: World, worker: Worker
) -> None:
    conversation = (await start_pair(worker)).conversation
    number = 100

    async def another_is_quicker(name: str) -> None:
        nonlocal number
        if name == "append":
            number += 1
            log = world.message_table.logs[conversation.id]
            template = (await post(world.worker(), conversation.id, 1, BOB, retry=True)).message
            log.append(
                replace(
                    template,
                    sequence=SequenceNumber(len(log) + 1),
                    client_message_id=client_id(number),
                )
            )

    worker.messages.link.pause = another_is_quicker

    with pytest.raises(UnavailableError, match="busy"):
        await post(worker, conversation.id, 2)
