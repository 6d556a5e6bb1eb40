"""The faults: what a client sees of each fault, and that nothing accepted is lost by it."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.servicebus.exceptions import (
    MessageLockLostError,
    OperationTimeoutError,
    ServiceBusError,
    ServiceBusServerBusyError,
)

from tests.contract.servicebus.harness import (
    Bus,
    collect_leaks,
    launch,
    message,
    receive,
    receive_one,
    texts,
)
from tests.leaks import SDK_LEAKS

pytestmark = [pytest.mark.stack, *SDK_LEAKS]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bus]:
    started = launch(tmp_path_factory.mktemp("servicebus"))
    started.retry_backoff_s = 0.05
    yield started
    started.stop()


@pytest.fixture
def bus(shared: Bus) -> Iterator[Bus]:
    yield shared
    shared.control("DELETE", "faults")
    collect_leaks()


@pytest.mark.parametrize(
    ("status", "error"), [(None, ServiceBusServerBusyError), (408, OperationTimeoutError)]
)
async def test_an_error_refuses_the_send(
    bus: Bus, status: int | None, error: type[ServiceBusError]
) -> None:
    name = await bus.queue()
    async with bus.client(retry_total=0) as client, client.get_queue_sender(name) as sender:
        bus.arm(kind="error", status=status, operation="send")

        with pytest.raises(error):
            await sender.send_messages(message())

    assert bus.metrics()["active"] == 0


async def test_a_passing_error_is_ridden_out_by_the_client(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (sender, receiver):
        bus.arm(kind="error", status=500, count=1, operation="send")
        await sender.send_messages(message("sent"))

        bus.arm(kind="error", status=500, count=1, operation="receive")
        got = await receive(receiver)

        assert texts(got) == ["sent"]
        bus.arm(kind="error", status=500, count=1, operation="settle")
        await receiver.complete_message(got[0])
    assert bus.metrics()["active"] == 0


async def test_a_drop_closes_the_connection_and_the_client_returns(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (sender, receiver):
        bus.arm(kind="drop", count=1, operation="send")
        await sender.send_messages(message("sent"))

        bus.arm(kind="drop", count=1, operation="settle")
        got = await receive_one(receiver)
        await receiver.complete_message(got)

        assert str(got) == "sent"
    assert bus.metrics()["active"] == 0


async def test_a_drop_of_everything_is_an_outage(bus: Bus) -> None:
    name = await bus.queue()
    bus.arm(kind="drop")

    async with bus.client(retry_total=0) as client:
        with pytest.raises(ServiceBusError):
            await client.get_queue_sender(name).send_messages(message())
        bus.control("DELETE", "faults")

        await client.get_queue_sender(name).send_messages(message())


async def test_a_delay_holds_back_its_operation_and_keeps_the_order(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (sender, receiver):
        bus.arm(kind="delay", ms=300, count=1, operation="send")
        begun = time.monotonic()

        await asyncio.gather(*(sender.send_messages(message(text)) for text in "ab"))

        assert time.monotonic() - begun >= 0.3
        assert texts(await receive(receiver, 2)) == ["a", "b"]


async def test_a_lost_lock_refuses_the_settlement_and_delivers_again(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (sender, receiver):
        bus.arm(kind="lock-lost", count=1)
        await sender.send_messages(message())
        lost = await receive_one(receiver)

        with pytest.raises(MessageLockLostError):
            await receiver.complete_message(lost)

        again = await receive_one(receiver)
        assert (again.sequence_number, again.delivery_count) == (lost.sequence_number, 1)
        await receiver.complete_message(again)


async def test_a_duplicate_confirms_the_settlement_and_delivers_again(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (sender, receiver):
        bus.arm(kind="duplicate", count=1)
        await sender.send_messages(message())
        first = await receive_one(receiver)

        await receiver.complete_message(first)

        again = await receive_one(receiver)
        assert again.sequence_number == first.sequence_number
        await receiver.complete_message(again)
        assert await receiver.receive_messages(1, max_wait_time=0.3) == []


async def test_management_requests_fail_as_well(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (_, receiver):
        receiver._config.retry_total = 0
        bus.arm(kind="error", operation="manage")

        with pytest.raises(ServiceBusServerBusyError):
            await receiver.peek_messages(1)


@pytest.mark.parametrize("kind", ["reorder", "close", "explode", None])
def test_a_kind_that_is_not_served_is_refused(bus: Bus, kind: str | None) -> None:
    assert bus.control("POST", "faults", {"kind": kind}) is None


async def test_metrics_count_what_happened_and_what_lies_there(tmp_path: Path) -> None:
    bus = launch(tmp_path)
    try:
        async with bus.pair(await bus.queue()) as (sender, receiver):
            await sender.send_messages([message() for _ in range(4)])
            first, second = await receive(receiver, 2)
            await receiver.complete_message(first)
            await receiver.dead_letter_message(second)

        counts = bus.metrics()
    finally:
        bus.stop()

    assert counts == {
        "sent": 4,
        "completed": 1,
        "deadLettered": 1,
        "active": 2,
        "scheduled": 0,
        "deadLetter": 1,
    }
