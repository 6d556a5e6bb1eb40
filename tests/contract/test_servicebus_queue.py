"""What the real SDK is promised of a queue: order, locks, settlement, schedules, dead letters."""

import asyncio
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.servicebus import (
    NEXT_AVAILABLE_SESSION,
    AutoLockRenewer,
    ServiceBusMessageState,
    ServiceBusReceiveMode,
    ServiceBusSubQueue,
)
from azure.servicebus import ServiceBusClient as SyncClient
from azure.servicebus.aio import AutoLockRenewer as AsyncAutoLockRenewer
from azure.servicebus.amqp import AmqpAnnotatedMessage
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessagingEntityNotFoundError,
    ServiceBusError,
)

from tests.contract.servicebus.harness import (
    REAL,
    Bus,
    eventually,
    is_empty,
    launch,
    message,
    receive,
    receive_one,
    texts,
)

pytestmark = pytest.mark.stack

DEAD = ServiceBusSubQueue.DEAD_LETTER


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    if REAL:
        yield Bus(REAL)
        return
    started = launch(tmp_path_factory.mktemp("servicebus"))
    yield started
    started.stop()


async def test_every_field_of_a_message_arrives(bus: Bus) -> None:
    sent = message(
        "body é\u2028",
        message_id="id-1",
        correlation_id="correlation",
        content_type="application/json",
        subject="subject",
        to="to",
        reply_to="reply",
        reply_to_session_id="reply-session",
        session_id="session",
        partition_key="session",
        time_to_live=timedelta(hours=1),
        application_properties={"text": "é", "number": 7, "id": uuid.UUID(int=5), "yes": True},
    )
    async with bus.pair(await bus.queue()) as (sender, receiver):
        before = datetime.now(UTC) - timedelta(seconds=1)
        await sender.send_messages(sent)

        got = await receive_one(receiver)

        await receiver.complete_message(got)
    for name in ("message_id", "correlation_id", "content_type", "subject", "to", "reply_to"):
        assert getattr(got, name) == getattr(sent, name)
    assert got.reply_to_session_id == "reply-session"
    assert (got.session_id, got.partition_key) == ("session", "session")
    assert got.time_to_live == timedelta(hours=1)
    properties = {b"text": "é".encode(), b"number": 7, b"id": uuid.UUID(int=5), b"yes": True}
    assert got.application_properties == properties
    assert str(got) == "body é\u2028"
    assert got.delivery_count == 0
    assert got.sequence_number
    assert got.enqueued_time_utc
    assert before < got.enqueued_time_utc < datetime.now(UTC) + timedelta(seconds=1)


async def test_a_body_may_be_a_value_or_many_sections(bus: Bus) -> None:
    bodies = [
        AmqpAnnotatedMessage(value_body={"a": [1, None, "x"]}),
        AmqpAnnotatedMessage(sequence_body=[[1, 2], ["x"]]),
        AmqpAnnotatedMessage(data_body=[b"one", b"two"]),
    ]
    async with bus.pair(await bus.queue()) as (sender, receiver):
        for body in bodies:
            await sender.send_messages(body)

        got = await receive(receiver, 3)

    assert got[0].body == {b"a": [1, None, b"x"]}
    assert [list(part) for part in got[1].body] == [[1, 2], [b"x"]]
    assert list(got[2].body) == [b"one", b"two"]


async def test_a_list_of_messages_arrives_whole_and_in_order(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (sender, receiver):
        await sender.send_messages([message(str(number)) for number in range(50)])

        got = await receive(receiver, 50)

    assert texts(got) == [str(number) for number in range(50)]
    numbers = [each.sequence_number or 0 for each in got]
    assert numbers == sorted(set(numbers))


async def test_a_large_message_crosses_frames(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (sender, receiver):
        await sender.send_messages(message("x" * 200_000))

        got = await receive_one(receiver)

    assert str(got) == "x" * 200_000


async def test_a_completed_message_is_gone(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (sender, receiver):
        await sender.send_messages(message())
        got = await receive_one(receiver)

        await receiver.complete_message(got)

        assert await is_empty(receiver)


async def test_an_abandoned_message_returns_at_its_place_and_is_counted(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (sender, receiver):
        await sender.send_messages([message("first"), message("second")])
        await receiver.abandon_message(await receive_one(receiver))

        again = await receive(receiver, 2)

    assert texts(again) == ["first", "second"]
    assert [each.delivery_count for each in again] == [1, 0]


async def test_a_message_that_fails_too_often_is_dead(bus: Bus) -> None:
    name = await bus.queue("brief")
    async with bus.pair(name) as (sender, receiver), bus.client() as client:
        await sender.send_messages(message("poison"))

        for _ in range(2):
            await receiver.abandon_message(await receive_one(receiver))

        async with client.get_queue_receiver(name, sub_queue=DEAD) as dead_letter_queue:
            dead = await receive_one(dead_letter_queue)
        assert await is_empty(receiver)
    assert str(dead) == "poison"
    assert dead.dead_letter_reason == "MaxDeliveryCountExceeded"
    assert dead.dead_letter_error_description


async def test_a_dead_letter_keeps_its_reason_and_can_be_completed(bus: Bus) -> None:
    name = await bus.queue()
    async with bus.pair(name) as (sender, receiver), bus.client() as client:
        await sender.send_messages(message(application_properties={"kept": "yes"}))
        await receiver.dead_letter_message(
            await receive_one(receiver), reason="bad", error_description="cannot read it"
        )

        async with client.get_queue_receiver(name, sub_queue=DEAD) as dead_letter_queue:
            dead = await receive_one(dead_letter_queue)
            await dead_letter_queue.complete_message(dead)
            assert await is_empty(dead_letter_queue)

        assert await is_empty(receiver)
    assert dead.dead_letter_reason == "bad"
    assert dead.dead_letter_error_description == "cannot read it"
    assert dead.application_properties
    assert dead.application_properties[b"kept"] == b"yes"


async def test_a_lock_that_runs_out_frees_the_message_and_cannot_settle(bus: Bus) -> None:
    async with bus.pair(await bus.queue("brief")) as (sender, receiver):
        await sender.send_messages(message())
        late = await receive_one(receiver)

        again = await receive_one(receiver)

        late._expiry = datetime.now(UTC) + timedelta(hours=1)  # so that the broker must refuse
        with pytest.raises(MessageLockLostError):
            await receiver.complete_message(late)
        assert again.delivery_count == 1
        assert again.lock_token != late.lock_token
        await receiver.complete_message(again)


async def test_a_renewed_lock_outlives_its_first_term(bus: Bus) -> None:
    async with bus.pair(await bus.queue("brief")) as (sender, receiver):
        await sender.send_messages(message())
        got = await receive_one(receiver)
        first_end = got.locked_until_utc
        assert first_end

        renewed = first_end
        while datetime.now(UTC) < first_end:
            renewed = await receiver.renew_message_lock(got)
            await asyncio.sleep(0.2)

        assert renewed > first_end
        await receiver.complete_message(got)
        assert await is_empty(receiver)


async def test_the_lock_renewer_of_the_sdk_keeps_a_message(bus: Bus) -> None:
    async with bus.pair(await bus.queue("brief")) as (sender, receiver):
        await sender.send_messages(message())
        async with AsyncAutoLockRenewer() as renewer:
            got = await receive_one(receiver)
            first_end = got.locked_until_utc
            assert first_end

            renewer.register(receiver, got, max_lock_renewal_duration=30)

            while datetime.now(UTC) < first_end:
                assert await receiver.receive_messages(1, max_wait_time=0.2) == []
            await receiver.complete_message(got)
        assert got.auto_renew_error is None


async def test_a_lost_lock_cannot_be_renewed(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (sender, receiver):
        await sender.send_messages(message())
        got = await receive_one(receiver)
        token: Any = got.lock_token
        await receiver.complete_message(got)

        with pytest.raises(MessageLockLostError):
            await receiver._renew_locks(token)


async def test_a_scheduled_message_comes_at_its_time(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (sender, receiver):
        due = datetime.now(UTC) + timedelta(seconds=1)
        await sender.send_messages(message("later", scheduled_enqueue_time_utc=due))
        (peeked,) = await receiver.peek_messages(1)

        got = await receive_one(receiver)

        arrived = datetime.now(UTC)
        await receiver.complete_message(got)
    assert peeked.state is ServiceBusMessageState.SCHEDULED
    assert (peeked.sequence_number, str(got)) == (got.sequence_number, "later")
    assert got.scheduled_enqueue_time_utc
    assert abs(got.scheduled_enqueue_time_utc - due) < timedelta(seconds=1)
    assert due - timedelta(milliseconds=2) <= arrived < due + timedelta(seconds=3 if REAL else 1)


async def test_a_peek_shows_every_state_and_locks_nothing(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (sender, receiver):
        due = datetime.now(UTC) + timedelta(hours=1)
        scheduled = message("scheduled", scheduled_enqueue_time_utc=due)
        await sender.send_messages([message("locked"), message("active"), scheduled])
        await receive_one(receiver)

        peeked = await receiver.peek_messages(10, sequence_number=1)

        assert texts(peeked) == ["locked", "active", "scheduled"]
        assert [each.state.value for each in peeked] == [0, 0, 2]
        assert texts(await receive(receiver)) == ["active"]


async def test_a_repeated_message_id_is_dropped(bus: Bus) -> None:
    async with bus.pair(await bus.queue("unique")) as (sender, receiver):
        await sender.send_messages(message("one", message_id="same"))
        await receiver.complete_message(await receive_one(receiver))

        await sender.send_messages(message("two", message_id="same"))
        await sender.send_messages([message("three", message_id=name) for name in ("same", "new")])

        assert texts(await receive(receiver)) == ["three"]
        assert await receiver.receive_messages(1, max_wait_time=0.3) == []


async def test_ids_are_not_compared_without_duplicate_detection(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (sender, receiver):
        for text in ("one", "two"):
            await sender.send_messages(message(text, message_id="same"))

        assert texts(await receive(receiver, 2)) == ["one", "two"]


@pytest.mark.parametrize(("kind", "is_dead_lettered"), [("dead-lettering", True), ("plain", False)])
async def test_an_expired_message_is_dead_lettered_or_dropped(
    bus: Bus, kind: str, is_dead_lettered: bool
) -> None:
    name = await bus.queue(kind)
    async with bus.pair(name) as (sender, receiver), bus.client() as client:
        await sender.send_messages(message(time_to_live=timedelta(seconds=1)))

        async def is_gone() -> bool:
            return await is_empty(receiver)

        await eventually(is_gone, "the message to expire")

        async with client.get_queue_receiver(name, sub_queue=DEAD) as dead_letter_queue:
            dead = await dead_letter_queue.receive_messages(
                1, max_wait_time=5 if is_dead_lettered else 0.3
            )
    reasons = [each.dead_letter_reason for each in dead]
    assert reasons == (["TTLExpiredException"] if is_dead_lettered else [])


async def test_receive_and_delete_needs_no_settlement(bus: Bus) -> None:
    mode = ServiceBusReceiveMode.RECEIVE_AND_DELETE
    async with bus.pair(await bus.queue(), receive_mode=mode) as (sender, receiver):
        await sender.send_messages([message(str(number)) for number in range(5)])

        got = await receive(receiver, 5)

        assert texts(got) == ["0", "1", "2", "3", "4"]
        assert await is_empty(receiver)


async def test_two_receivers_share_a_queue_and_each_message_comes_once(bus: Bus) -> None:
    name = await bus.queue()
    seen: list[str] = []
    hands: set[int] = set()

    async def work(number: int) -> None:
        async with (
            bus.client() as client,
            client.get_queue_receiver(name, prefetch_count=5, max_wait_time=1) as receiver,
        ):
            async for each in receiver:
                seen.append(str(each))
                hands.add(number)
                await receiver.complete_message(each)

    async with bus.pair(name) as (sender, _):
        await sender.send_messages([message(str(number)) for number in range(100)])
    await asyncio.gather(work(1), work(2))

    assert sorted(seen, key=int) == [str(number) for number in range(100)]
    assert hands == {1, 2}


async def test_what_a_closed_receiver_had_prefetched_is_free_at_once(bus: Bus) -> None:
    name = await bus.queue()
    async with bus.pair(name) as (sender, receiver), bus.client() as client:
        await sender.send_messages([message(str(number)) for number in range(10)])
        async with client.get_queue_receiver(name, prefetch_count=10) as greedy:
            taken = await receive_one(greedy)

        others = await receive(receiver, 9)

    assert sorted(texts([taken, *others])) == [str(number) for number in range(10)]


async def test_a_receiver_that_waits_is_told_at_once(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (sender, receiver):
        waiting = asyncio.create_task(receiver.receive_messages(1, max_wait_time=10))

        await sender.send_messages(message())

        assert len(await asyncio.wait_for(waiting, 5)) == 1


async def test_unknown_queues_are_not_found(bus: Bus) -> None:
    async with bus.client(retry_total=0) as client:
        with pytest.raises(MessagingEntityNotFoundError):
            await client.get_queue_sender("nowhere").send_messages(message())
        with pytest.raises(MessagingEntityNotFoundError):
            await client.get_queue_receiver("nowhere").receive_messages(1, max_wait_time=30)


async def test_sessions_are_refused_on_a_queue_without(bus: Bus) -> None:
    name = await bus.queue()
    async with bus.client(retry_total=0) as client:
        for session in ("one", NEXT_AVAILABLE_SESSION):
            receiver = client.get_queue_receiver(name, session_id=session, max_wait_time=30)
            with pytest.raises(ServiceBusError):
                await receiver.receive_messages(1)


@pytest.mark.skipif(bool(REAL), reason="a real namespace may have topics")
async def test_topics_are_refused_with_the_reason(bus: Bus) -> None:
    async with bus.client(retry_total=0) as client:
        receiver = client.get_subscription_receiver("topic", "subscription")
        with pytest.raises(ServiceBusError, match="not topics"):
            await receiver.receive_messages(1, max_wait_time=30)


@pytest.mark.skipif(bool(REAL), reason="a real namespace serves them")
async def test_what_is_not_served_is_refused_with_the_reason(bus: Bus) -> None:
    name = await bus.queue()
    async with (
        bus.client(retry_total=0) as client,
        client.get_queue_sender(name) as sender,
        client.get_queue_receiver(name) as receiver,
    ):
        await sender.send_messages(message())
        got = await receive_one(receiver)

        with pytest.raises(ServiceBusError, match="does not serve deferred messages"):
            await receiver.defer_message(got)
        for attempt in (
            lambda: receiver.receive_deferred_messages(1),
            lambda: sender.schedule_messages(message(), datetime.now(UTC)),
            lambda: sender.cancel_scheduled_messages(1),
        ):
            with pytest.raises(ServiceBusError, match="this stand-in does not serve"):
                await attempt()


async def test_the_blocking_client_is_served_too(bus: Bus) -> None:
    name = await bus.queue()

    def talk() -> list[str]:
        with (
            SyncClient.from_connection_string(bus.connection) as client,
            client.get_queue_sender(name) as sender,
            client.get_queue_receiver(name, max_wait_time=5) as receiver,
            AutoLockRenewer() as renewer,
        ):
            sender.send_messages([message("one"), message("two")])
            seen = []
            for each in receiver.receive_messages(2):
                renewer.register(receiver, each)
                receiver.complete_message(each)
                seen.append(str(each))
            assert not receiver.peek_messages(1)
            return seen

    assert await asyncio.to_thread(talk) == ["one", "two"]
