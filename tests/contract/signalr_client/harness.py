"""The service under test, a function app that only records, and the two kinds of client."""

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import aiohttp
from aiohttp import web

from local.signalr.app import build_app
from local.signalr.service import Service
from local.signalr.settings import ServiceSettings, Timing
from local.signalr.templates import Template
from local.signalr.tokens import sign

KEY = "test-access-key-0123456789-0123456789"
DEADLINE_S = 15.0
DRIVER = Path(__file__).with_name("driver.mjs")
JSON_HANDSHAKE = b'{"protocol":"json","version":1}\x1e'

Answer = tuple[int, bytes]
Handler = Callable[["Recorded"], Awaitable[Answer]]


async def until(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Return when *condition* holds; fail when it does not within the deadline."""
    async with asyncio.timeout(deadline_s):
        while not condition():  # noqa: ASYNC110 (any condition, of any object)
            await asyncio.sleep(0.005)


@dataclass(frozen=True)
class Recorded:
    """One upstream call."""

    headers: Mapping[str, str]
    body: bytes
    query: str

    @property
    def event(self) -> str:
        return self.headers["X-ASRS-Event"]

    @property
    def connection_id(self) -> str:
        return self.headers["X-ASRS-Connection-Id"]

    def json(self) -> Any:
        return json.loads(self.body)


def completion(call: Recorded, result: object) -> bytes:
    """Return what the Functions extension answers: a framed completion."""
    invocation_id = call.json().get("invocationId")
    message = {"type": 3, "invocationId": invocation_id, "result": result}
    return json.dumps(message).encode() + b"\x1e"


async def echo(call: Recorded) -> Answer:
    if call.headers["X-ASRS-Category"] == "connections":
        return 200, b""
    return 200, completion(call, call.json()["arguments"])


@dataclass
class FakeApp:
    """The webhook of a function app: records every call, answers by *handlers* or an echo."""

    calls: list[Recorded] = field(default_factory=list)
    handlers: dict[str, Handler] = field(default_factory=dict)

    async def webhook(self, request: web.Request) -> web.Response:
        call = Recorded(request.headers.copy(), await request.read(), request.query_string)
        self.calls.append(call)
        status, body = await self.handlers.get(call.event, echo)(call)
        return web.Response(status=status, body=body)

    def events(self, connection_id: str | None = None) -> list[str]:
        return [c.event for c in self.calls if connection_id in {None, c.connection_id}]

    def only(self, event: str) -> Recorded:
        [call] = [each for each in self.calls if each.event == event]
        return call


@dataclass
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        return self.headers.get("x-ms-error-code")


class Stack:
    """The running service with its app, and the ways to talk to it."""

    def __init__(self, base: str, service: Service, app: FakeApp, http: aiohttp.ClientSession):
        self.base = base
        self.service = service
        self.app = app
        self.http = http

    def token(self, user_id: str | None = "ada", hub: str = "chat", **claims: object) -> str:
        made = {
            "aud": f"{self.base}/client/?hub={hub}",
            "exp": time.time() + 600,
            **({"asrs.s.uid": user_id} if user_id is not None else {}),
            **claims,
        }
        return sign({name: value for name, value in made.items() if value is not None}, KEY)

    async def rest(
        self, method: str, path: str, body: object = None, *, token: str | None = None, **query: str
    ) -> Answered:
        """Call `/api/hubs/chat` + *path* as the Functions extension does."""
        url = f"{self.base}/api/hubs/chat{path}"
        query = {"api-version": "2022-06-01", **query}
        bearer = token or sign({"aud": url, "exp": time.time() + 60}, KEY)
        headers = {"Authorization": f"Bearer {bearer}"}
        async with self.http.request(
            method, url, params=query, json=body, headers=headers
        ) as response:
            return Answered(response.status, response.headers.copy(), await response.read())

    async def push(self, path: str, target: str = "news", *arguments: object, **query: str) -> int:
        """Send a message the way the extension words it; return the status."""
        body = {"Target": target, "Arguments": list(arguments)}
        return (await self.rest("POST", f"{path}/:send", body, **query)).status

    async def negotiate(self, token: str, hub: str = "chat", version: int = 1) -> Answered:
        url = f"{self.base}/client/negotiate?hub={hub}&negotiateVersion={version}"
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.post(url, headers=headers) as response:
            return Answered(response.status, response.headers.copy(), await response.read())

    async def connect(self, user_id: str | None = "ada", hub: str = "chat") -> "RawClient":
        """Return a raw client after negotiate, connect and handshake."""
        client = await self.open_socket(user_id, hub)
        await client.socket.send_bytes(JSON_HANDSHAKE)
        assert await client.receive() == {}
        await until(lambda: client.id in self.service.hubs.get(hub.lower()).connections)
        return client

    async def open_socket(self, user_id: str | None = "ada", hub: str = "chat") -> "RawClient":
        """Return a raw client that has not shaken hands."""
        token = self.token(user_id, hub.lower())
        ticket = json.loads((await self.negotiate(token, hub)).body)
        url = f"{self.base}/client/?hub={hub}&id={quote(ticket['connectionToken'])}"
        socket = await self.http.ws_connect(
            url, headers={"Authorization": f"Bearer {token}"}, max_msg_size=0
        )
        return RawClient(ticket["connectionId"], socket, ticket["connectionToken"], token)

    @contextlib.asynccontextmanager
    async def node(self, user_id: str | None = "ada", **options: object) -> AsyncIterator["Node"]:
        """Run the real client; it is started, or was refused, when the block begins."""
        asked = {
            "url": f"{self.base}/client/?hub=chat",
            "token": self.token(user_id),
            "listen": ["news"],
            **options,
        }
        async with Node(asked) as node:
            yield node


class RawClient:
    """A client that says exactly what the test tells it to, in JSON over a WebSocket."""

    def __init__(
        self, connection_id: str, socket: aiohttp.ClientWebSocketResponse, carried: str, token: str
    ) -> None:
        self.id = connection_id
        self.socket = socket
        self.carried = carried
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


@contextlib.asynccontextmanager
async def running(
    directory: Path, timing: Timing | None = None, app: FakeApp | None = None, **settings: Any
) -> AsyncIterator[Stack]:
    """Run the service and a fake app in this process, on free ports."""
    app = app or FakeApp()
    async with _listening(_webhook(app)) as upstream:
        template = Template(f"{upstream}/runtime/webhooks/signalr?code=extension-key")
        chosen = ServiceSettings(KEY, directory, (template,), timing or Timing(), **settings)
        async with (
            Service(chosen) as service,
            _listening(build_app(service)) as base,
            aiohttp.ClientSession() as http,
        ):
            yield Stack(base, service, app, http)


def _webhook(app: FakeApp) -> web.Application:
    host = web.Application(client_max_size=1 << 25)
    host.router.add_post("/runtime/webhooks/signalr", app.webhook)
    return host


@contextlib.asynccontextmanager
async def _listening(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
