"""Taking notifications back once they are read: only from who was notified, and never too much."""

import pytest

from shared.adapters.service_bus.jobs import envelope, job_from
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.domain.people.notification import Dismissal, NotificationJob
from tests.integration.services.world import Worker, World, by, post, sequence, start, start_pair
from tests.unit.things import ANN, BOB, CAT, GROUP


async def notified(
    world: World, worker: Worker, *members: UserId, count: int = 1
) -> ConversationId:
    """Let the first member write, and the others be notified."""
    conversation_id = (await start(worker, *members)).conversation.id
    for number in range(count):
        await post(worker, conversation_id, number, members[0])
    await worker.chat.receipt_flush.flush()
    await work_off(world, worker, conversation_id)
    return conversation_id


async def work_off(world: World, worker: Worker, conversation_id: ConversationId) -> None:
    await worker.chat.notification_planning.decide(world.stored(conversation_id))
    for queued in world.bus.take():
        await worker.chat.notifications.deliver(queued.job)


async def read(worker: Worker, conversation_id: ConversationId, user: UserId, up_to: int) -> None:
    await worker.chat.receipts.acknowledge(
        by(user), conversation_id, delivered=None, read=sequence(up_to)
    )


async def cleared(world: World, worker: Worker) -> dict[str, list[Dismissal]]:
    """Flush, work off what that queued, and return what each device was told since."""
    await worker.chat.receipt_flush.flush()
    for queued in world.bus.take():
        await worker.chat.dismissal.deliver(queued.job)
    told = {name: list(seen) for name, seen in world.channel.cleared.items() if seen}
    world.channel.cleared.clear()
    return told


async def test_who_has_read_what_they_were_notified_of_is_cleared_once(
    world: World, worker: Worker
) -> None:
    conversation_id = await notified(world, worker, ANN, BOB, CAT, count=2)
    await read(worker, conversation_id, BOB, 2)

    first = await cleared(world, worker)
    await read(worker, conversation_id, BOB, 2)
    second = await cleared(world, worker)

    assert first == {
        "bob-phone": [Dismissal(conversation_id, SequenceNumber(2), tag=conversation_id)]
    }
    assert second == {}


async def test_what_is_read_in_part_stays(world: World, worker: Worker) -> None:
    conversation_id = await notified(world, worker, ANN, BOB, count=2)
    await read(worker, conversation_id, BOB, 1)
    before = await cleared(world, worker)

    await read(worker, conversation_id, BOB, 2)

    assert before == {}
    assert set(await cleared(world, worker)) == {"bob-phone"}


async def test_what_is_delivered_to_another_device_and_not_read_stays(
    world: World, worker: Worker
) -> None:
    conversation_id = await notified(world, worker, ANN, BOB)

    await worker.chat.receipts.acknowledge(
        by(BOB), conversation_id, delivered=sequence(1), read=None
    )

    assert await cleared(world, worker) == {}


async def test_answering_is_reading(world: World, worker: Worker) -> None:
    conversation_id = await notified(world, worker, ANN, BOB)

    await post(worker, conversation_id, 9, BOB)

    assert set(await cleared(world, worker)) == {"bob-phone"}


async def test_who_was_not_notified_costs_one_look_and_no_notice(
    world: World, worker: Worker
) -> None:
    conversation_id = (await start_pair(worker)).conversation.id
    await post(worker, conversation_id, 1)
    await read(worker, conversation_id, BOB, 1)

    before = world.redis_link.calls["list_notified"]

    await worker.chat.receipt_flush.flush()

    assert world.redis_link.calls["list_notified"] - before == 1
    assert world.bus.take() == []


async def test_readers_of_one_notification_share_a_notice(world: World, worker: Worker) -> None:
    conversation_id = await notified(world, worker, ANN, BOB, CAT)
    for user in (BOB, CAT):
        await read(worker, conversation_id, user, 1)

    await worker.chat.receipt_flush.flush()

    (queued,) = world.bus.take()
    assert queued.delay_s == 0
    assert queued.job.clear
    assert set(queued.job.recipients) == {BOB, CAT}


async def test_a_later_notification_is_not_taken_back(world: World, worker: Worker) -> None:
    conversation_id = await notified(world, worker, ANN, BOB)
    await read(worker, conversation_id, BOB, 1)
    await worker.chat.receipt_flush.flush()
    (late,) = world.bus.take()
    await post(worker, conversation_id, 5, ANN)
    await work_off(world, worker, conversation_id)

    done = await worker.chat.dismissal.deliver(late.job)

    assert done == 0
    assert world.channel.cleared == {}
    await read(worker, conversation_id, BOB, 2)
    assert set(await cleared(world, worker)) == {"bob-phone"}


async def test_a_device_that_is_gone_is_forgotten(world: World, worker: Worker) -> None:
    conversation_id = await notified(world, worker, ANN, BOB)
    world.channel.gone.add("bob-phone")
    await read(worker, conversation_id, BOB, 1)

    await cleared(world, worker)

    found = await world.users.find(BOB)
    assert found is not None
    assert found.subscriptions == ()


@pytest.mark.parametrize("how", ["failing", "broken"])
async def test_a_device_that_fails_is_left_in_peace(world: World, worker: Worker, how: str) -> None:
    conversation_id = await notified(world, worker, ANN, BOB, CAT)
    getattr(world.channel, how).add("bob-phone")
    for user in (BOB, CAT):
        await read(worker, conversation_id, user, 1)

    assert set(await cleared(world, worker)) == {"cat-phone"}
    assert world.bus.take() == []


@pytest.mark.parametrize("down", ["redis", "bus"])
async def test_a_flush_succeeds_when_nothing_can_be_cleared(
    world: World, worker: Worker, down: str
) -> None:
    conversation_id = await notified(world, worker, ANN, BOB)
    await read(worker, conversation_id, BOB, 1)
    link, name = (
        (world.redis_link, "list_notified") if down == "redis" else (world.bus.link, "send")
    )
    link.fail(name)

    await worker.chat.receipt_flush.flush()

    found = await worker.conversations.find_with_state(conversation_id)
    assert found is not None
    assert {one.user_id: one.read for one in found[1].receipts}[BOB] == 1


def test_a_notice_to_clear_is_another_message_than_the_one_it_takes_back() -> None:
    shown = NotificationJob(GROUP, SequenceNumber(3), SequenceNumber(3), (BOB,))
    clear = NotificationJob(GROUP, SequenceNumber(3), SequenceNumber(3), (BOB,), clear=True)

    assert envelope(shown).message_id != envelope(clear).message_id
    assert job_from(envelope(clear).body) == clear
    assert job_from(envelope(shown).body) == shown
    assert "clear" not in envelope(shown).body
