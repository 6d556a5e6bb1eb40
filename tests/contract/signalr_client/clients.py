"""The two kinds of client: one that says anything, and the real one in a process of its own."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

DEADLINE_S = 15.0
DRIVER = Path(__file__).with_name("driver.mjs")


async def until(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Return when *condition* holds; fail when it does not within the deadline."""
    async with asyncio.timeout(deadline_s):
        while not condition():  # noqa: ASYNC110 (any condition, of any object)
            await asyncio.sleep(0.005)


class RawClient:
    """A client that says exactly what the test tells it to, in JSON over a WebSocket."""

    def __init__(
        self, connection_id: str, socket: aiohttp.ClientWebSocketResponse, url: str, token: str
    ) -> None:
        self.id = connection_id
        self.socket = socket
        self.url = url
        self.token = token
        self._waiting: list[bytes] = []

    async def receive(self) -> Any:
        """Return the next message that is not a ping; None when the socket has closed."""
        while True:
            while self._waiting:
                message = json.loads(self._waiting.pop(0))
                if message.get("type") != 6:
                    return message
            received = await self.socket.receive(timeout=DEADLINE_S)
            if received.type not in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                return None
            data = received.data.encode() if isinstance(received.data, str) else received.data
            self._waiting = data.removesuffix(b"\x1e").split(b"\x1e")

    async def send(self, message: object) -> None:
        await self.socket.send_str(json.dumps(message) + "\x1e")

    async def invoke(self, target: str, *arguments: object, id: str = "0") -> Any:  # noqa: A002
        await self.send(
            {"type": 1, "invocationId": id, "target": target, "arguments": list(arguments)}
        )
        return await self.receive()

    async def closed(self) -> list[Any]:
        """Wait for the socket to close; return the messages that came before."""
        messages = []
        while (message := await self.receive()) is not None:
            messages.append(message)
        return messages

    async def close(self) -> None:
        await self.socket.close()


class Node:
    """The real client in a process of its own."""

    def __init__(self, options: Mapping[str, object]) -> None:
        self._options = options
        self._ids = itertools.count(1)
        self.events: list[dict[str, Any]] = []
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            "node",
            str(DRIVER),
            json.dumps(self._options),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._reader = asyncio.create_task(self._read())
        await until(lambda: self.events)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        assert self._process is not None
        assert self._reader is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reader

    @property
    def id(self) -> str:
        return str(self.events[0]["connectionId"])

    async def ask(self, do: str, target: str = "", *arguments: object) -> dict[str, Any]:
        """Carry out one command and return its outcome."""
        number = next(self._ids)
        command = {"do": do, "id": number, "target": target, "arguments": list(arguments)}
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        return await self.event(lambda event: event.get("id") == number)

    async def event(self, wanted: Callable[[dict[str, Any]], bool] | str) -> dict[str, Any]:
        """Return the first event, past or coming, that is *wanted* or of that name."""
        matches = wanted if callable(wanted) else lambda event: event["event"] == wanted
        await until(lambda: any(matches(event) for event in self.events))
        return next(event for event in self.events if matches(event))

    def pushes(self) -> list[Any]:
        return [event["arguments"] for event in self.events if event["event"] == "push"]

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.events.append(json.loads(line))
