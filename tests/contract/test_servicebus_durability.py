"""What survives kill -9: everything accepted, and no lock."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.servicebus import ServiceBusReceiveMode, ServiceBusSubQueue
from azure.servicebus.exceptions import ServiceBusError

from tests.contract.servicebus.harness import (
    ROOT,
    Bus,
    collect_leaks,
    is_empty,
    launch,
    message,
    receive,
    receive_one,
    texts,
)
from tests.leaks import SDK_LEAKS

pytestmark = [pytest.mark.stack, *SDK_LEAKS]


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Bus]:
    started = launch(tmp_path)
    yield started
    started.stop(signal.SIGKILL)
    collect_leaks()


async def test_accepted_messages_survive_in_order_and_settled_ones_stay_gone(bus: Bus) -> None:
    name = await bus.queue()
    async with bus.pair(name) as (sender, receiver):
        await sender.send_messages([message(str(number)) for number in range(10)])
        await receiver.complete_message(await receive_one(receiver))

        bus.stop(signal.SIGKILL)
    bus.start()

    async with bus.pair(name) as (sender, receiver):
        await sender.send_messages(message("new"))
        got = await receive(receiver, 10)
    assert texts(got) == [*(str(number) for number in range(1, 10)), "new"]
    assert [each.sequence_number for each in got] == list(range(2, 12))


async def test_a_restart_loses_locks_and_counts_no_delivery(bus: Bus) -> None:
    name = await bus.queue()
    async with bus.pair(name) as (sender, receiver):
        await sender.send_messages(message())
        locked = await receive_one(receiver)

        bus.kill_and_restart()

        with pytest.raises(ServiceBusError):
            await receiver.complete_message(locked)
        again = await receive_one(receiver)
    assert again.sequence_number == locked.sequence_number
    assert again.delivery_count == 0
    assert again.lock_token != locked.lock_token


async def test_delivery_counts_and_every_state_survive(bus: Bus) -> None:
    name = await bus.queue()
    due = datetime.now(UTC) + timedelta(seconds=2)
    async with bus.pair(name) as (sender, receiver):
        scheduled = message("scheduled", scheduled_enqueue_time_utc=due)
        await sender.send_messages([message("dead"), message("failed"), scheduled])
        dead, failed = await receive(receiver, 2)
        await receiver.dead_letter_message(dead, reason="bad")
        await receiver.abandon_message(failed)

        bus.stop(signal.SIGKILL)
    bus.start()

    async with bus.pair(name) as (_, receiver), bus.client() as client:
        first, second = await receive(receiver, 2)
        async with client.get_queue_receiver(
            name, sub_queue=ServiceBusSubQueue.DEAD_LETTER
        ) as dead_letter_queue:
            dead = await receive_one(dead_letter_queue)
    assert texts([first, second, dead]) == ["failed", "scheduled", "dead"]
    assert (first.delivery_count, dead.dead_letter_reason) == (1, "bad")
    assert datetime.now(UTC) >= due


async def test_duplicate_detection_remembers_across_a_restart(bus: Bus) -> None:
    name = await bus.queue("unique")
    async with bus.pair(name) as (sender, receiver):
        await sender.send_messages(message("one", message_id="same"))
        await receiver.complete_message(await receive_one(receiver))

        bus.stop(signal.SIGKILL)
    bus.start()

    async with bus.pair(name) as (sender, receiver):
        await sender.send_messages(message("two", message_id="same"))
        await sender.send_messages(message("three", message_id="other"))
        assert texts(await receive(receiver)) == ["three"]
        assert bus.metrics()["sent"] == 1


async def test_what_was_accepted_before_a_kill_under_load_is_all_there(bus: Bus) -> None:
    name = await bus.queue()
    accepted: list[str] = []
    killed = asyncio.Event()

    async def send(number: int) -> None:
        async with bus.client(retry_total=0) as client, client.get_queue_sender(name) as sender:
            for count in range(100_000):
                try:
                    await sender.send_messages(message(f"{number}-{count}"))
                except ServiceBusError:
                    return
                accepted.append(f"{number}-{count}")
                if len(accepted) == 500:
                    bus.stop(signal.SIGKILL)
                    killed.set()

    await asyncio.gather(send(1), send(2), return_exceptions=True)
    assert killed.is_set()
    bus.start()

    mode = ServiceBusReceiveMode.RECEIVE_AND_DELETE
    async with bus.pair(name, receive_mode=mode, prefetch_count=200) as (_, receiver):
        found: list[str] = []
        while got := await receiver.receive_messages(500, max_wait_time=3):
            found += texts(got)
    assert len(accepted) >= 500
    assert set(accepted) <= set(found)
    assert len(found) == len(set(found))
    assert len(found) <= len(accepted) + 2  # at most one unanswered send for each sender


async def test_the_client_finds_its_way_back_by_itself(bus: Bus) -> None:
    async with bus.pair(await bus.queue()) as (sender, receiver):
        await sender.send_messages(message("before"))
        await receiver.complete_message(await receive_one(receiver))

        bus.kill_and_restart()

        await sender.send_messages(message("after"))
        assert texts(await receive(receiver)) == ["after"]


async def test_it_stops_while_clients_are_connected(bus: Bus) -> None:
    async with bus.pair(await bus.queue()):
        bus.stop()  # which waits for some seconds and not for the clients
    bus.start()


async def test_the_queue_is_empty_when_all_was_settled(bus: Bus) -> None:
    name = await bus.queue()
    async with bus.pair(name) as (sender, receiver):
        await sender.send_messages([message() for _ in range(3)])
        for each in await receive(receiver, 3):
            await receiver.complete_message(each)

        bus.stop(signal.SIGKILL)
    bus.start()

    async with bus.pair(name) as (_, receiver):
        assert await is_empty(receiver)


def test_a_taken_port_is_named_and_ends_the_process(bus: Bus, tmp_path: Path) -> None:
    inherited = os.environ  # noqa: TID251
    other = tmp_path / "other"
    env = {**inherited, "PORT": str(bus.ports.front), "CHAT_LOCAL_DIR": str(other)}

    ended = subprocess.run(
        [sys.executable, "-m", "local.servicebus"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert ended.returncode == 1
    assert str(bus.ports.servicebus_control) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_listens_on_this_machine_only(bus: Bus) -> None:
    with socket.socket() as probe:
        probe.settimeout(1)
        assert probe.connect_ex(("127.0.0.2", bus.ports.servicebus)) != 0
