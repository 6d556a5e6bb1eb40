"""The Service Bus under test: the stand-in as a process, or a real namespace.

With `CHAT_TEST_SERVICEBUS_CONNECTION` set, the tests that need no faults run against that
namespace, which must have the queues of `queues()` with `copies=1`.
"""

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from azure.servicebus import ServiceBusMessage, ServiceBusReceivedMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusReceiver, ServiceBusSender

from local.common.keys import load_or_create
from local.common.settings import Ports
from tests.support.ports import free_block

ROOT = Path(__file__).resolve().parents[3]
REAL = os.environ.get("CHAT_TEST_SERVICEBUS_CONNECTION")  # noqa: TID251
DEADLINE_S = 60.0  # a moment; on a machine that does much else besides, a minute
BRIEF_LOCK_S = 5  # the least there is; a machine that stands still for a second loses no lock

_COPIES = 40


def queues(copies: int) -> list[dict[str, Any]]:
    """Return the queues the tests use, in the terms of `infra/data-model.json`."""
    plain: dict[str, Any] = {}
    brief = {"lockDuration": f"PT{BRIEF_LOCK_S}S", "maxDeliveryCount": 2}
    unique = {"requiresDuplicateDetection": True, "duplicateDetectionHistoryTimeWindow": "PT10M"}
    dead_lettering = {"deadLetteringOnMessageExpiration": True}
    kinds = {"plain": plain, "brief": brief, "unique": unique, "dead-lettering": dead_lettering}
    return [
        {"name": f"{kind}-{copy}", **settings}
        for kind, settings in kinds.items()
        for copy in range(copies)
    ]


class Bus:
    """One namespace."""

    def __init__(self, connection: str, directory: Path | None = None, port: int = 0) -> None:
        self.connection = connection
        self.retry_backoff_s = 0.8  # the SDK's own
        self.ports = Ports(port)
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        self._used: Counter[str] = Counter()

    @property
    def directory(self) -> Path:
        assert self._directory is not None
        return self._directory

    @property
    def _log(self) -> Path:
        return self.directory / "servicebus.log"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        model = self.directory / "model.json"
        model.write_text(json.dumps({"queues": queues(_COPIES)}))
        inherited = os.environ  # noqa: TID251
        env = {**inherited, "PORT": str(self.ports.front), "CHAT_LOCAL_DIR": str(self.directory)}
        command = [sys.executable, "-m", "local.servicebus", "--model", str(model)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=log)
        wait_for(lambda: self.control("GET", "health") is not None, "the stand-in to be ready")

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the process with a signal. It must have said nothing."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(DEADLINE_S)
        assert not self._log.read_text(), "an error was logged"

    def kill_and_restart(self) -> None:
        self.stop(signal.SIGKILL)
        self.start()

    def control(self, method: str, what: str, body: object = None) -> Any:
        """Call the control server; None when it is not there."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports.servicebus_control}/_control/{what}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as response:
                return json.loads(response.read() or b"{}")
        except urllib.error.URLError:
            return None

    def metrics(self) -> dict[str, int]:
        counts: dict[str, int] = self.control("GET", "metrics")
        return counts

    def arm(self, **fault: object) -> None:
        assert self.control("POST", "faults", fault)

    def client(self, **options: Any) -> ServiceBusClient:
        options = {"retry_backoff_factor": self.retry_backoff_s, **options}
        return ServiceBusClient.from_connection_string(self.connection, **options)

    async def queue(self, kind: str = "plain") -> str:
        """Return the name of an empty queue."""
        if REAL:
            name = f"{kind}-0"
            await _drain(self, name)
            return name
        copy = self._used[kind]
        self._used[kind] += 1
        return f"{kind}-{copy}"

    @asynccontextmanager
    async def pair(
        self, name: str, **options: Any
    ) -> AsyncIterator[tuple[ServiceBusSender, ServiceBusReceiver]]:
        """Give a sender and a receiver of a queue, both open; *options* are the receiver's."""
        async with self.client() as client:
            sender = client.get_queue_sender(name)
            receiver = client.get_queue_receiver(name, **options)
            await asyncio.gather(sender.__aenter__(), receiver.__aenter__())
            try:
                yield sender, receiver
            finally:
                await asyncio.gather(sender.close(), receiver.close())


def launch(directory: Path) -> Bus:
    """Start the stand-in on free ports, with its data in *directory*."""
    port = free_block()
    key = load_or_create(directory).servicebus
    bus = Bus(connection_string(Ports(port).servicebus, key), directory, port)
    bus.start()
    return bus


def collect_leaks() -> None:
    """Let what the SDK leaked go now, under the test that caused it."""
    gc.collect()


def connection_string(port: int, key: str, name: str = "RootManageSharedAccessKey") -> str:
    return (
        f"Endpoint=sb://127.0.0.1:{port};SharedAccessKeyName={name};SharedAccessKey={key};"
        "UseDevelopmentEmulator=true;"
    )


async def receive(receiver: ServiceBusReceiver, count: int = 1) -> list[ServiceBusReceivedMessage]:
    """Receive exactly *count* messages within the deadline."""
    found: list[ServiceBusReceivedMessage] = []
    deadline = time.monotonic() + DEADLINE_S
    while len(found) < count and (left_s := deadline - time.monotonic()) > 0:
        found += await receiver.receive_messages(count - len(found), max_wait_time=left_s)
    assert len(found) == count, f"{len(found)} of {count} messages came"
    return found


async def receive_one(receiver: ServiceBusReceiver) -> ServiceBusReceivedMessage:
    (message,) = await receive(receiver)
    return message


async def is_empty(receiver: ServiceBusReceiver) -> bool:
    """Whether nothing lies in the queue in any state."""
    return not await receiver.peek_messages(10, sequence_number=1)


def texts(messages: list[ServiceBusReceivedMessage]) -> list[str]:
    return [str(message) for message in messages]


def message(text: str = "hello", **fields: Any) -> ServiceBusMessage:
    return ServiceBusMessage(text, **fields)


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


async def eventually(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not await condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"


async def _drain(bus: Bus, name: str) -> None:
    async with bus.client() as client:
        for sub_queue in (None, "deadletter"):
            options: dict[str, Any] = {"receive_mode": "receiveanddelete", "sub_queue": sub_queue}
            async with client.get_queue_receiver(name, **options) as receiver:
                while await receiver.receive_messages(100, max_wait_time=2):
                    pass
