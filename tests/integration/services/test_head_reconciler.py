"""The change feed brings live state up to what is stored."""

import pytest

from shared.domain.errors import UnavailableError
from shared.domain.live import Epoch
from tests.integration.services.world import Worker, World, by, post, start_pair
from tests.twins.redis_data import ConversationState
from tests.unit.things import ANN, BOB, GROUP, message


async def test_a_head_that_is_behind_is_raised_and_members_hear_of_it(
    world: World, worker: Worker
) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    await post(worker, conversation_id, 1)
    before, _ = await worker.chat.presences.heartbeat(by(BOB))
    world.redis_link.fail("record_sent")
    await post(worker, conversation_id, 2)

    healed = await world.worker().chat.head_reconciler.reconcile(world.stored(conversation_id))

    head = await world.live.head(conversation_id)
    after, _ = await worker.chat.presences.heartbeat(by(BOB))
    assert (healed, head.sequence) == (1, 2)
    assert after.activity == before.activity + 1


async def test_what_live_state_knows_costs_one_round_trip(world: World, worker: Worker) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    for number in range(3):
        await post(worker, conversation_id, number)
    world.redis_link.calls.clear()

    healed = await worker.chat.head_reconciler.reconcile(reversed(world.stored(conversation_id)))

    assert healed == 0
    assert dict(world.redis_link.calls) == {"raise_heads": 1}


async def test_what_nobody_knows_is_left_to_who_asks(world: World, worker: Worker) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    await post(worker, conversation_id, 1)
    world.redis.flush()

    assert await worker.chat.head_reconciler.reconcile(world.stored(conversation_id)) == 0
    assert await worker.chat.head_reconciler.reconcile([]) == 0
    assert not (await world.live.head(conversation_id)).is_cached


async def test_a_message_of_no_conversation_is_passed_over(world: World, worker: Worker) -> None:
    stray = message(1, sender=ANN, conversation_id=GROUP)
    world.redis.data.conversations[GROUP] = ConversationState(epoch=Epoch("1"))

    assert await worker.chat.head_reconciler.reconcile([stray]) == 1


async def test_without_live_state_the_batch_comes_again(world: World, worker: Worker) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    await post(worker, conversation_id, 1)
    world.redis_link.down = True

    with pytest.raises(UnavailableError):
        await worker.chat.head_reconciler.reconcile(world.stored(conversation_id))
