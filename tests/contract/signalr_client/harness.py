"""The service under test and a function app that records what it is told."""

import asyncio
import contextlib
import io
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import web
from yarl import URL

from local.signalr.app import build_app
from local.signalr.service import Service
from local.signalr.settings import ServiceSettings, Timing
from local.signalr.templates import Template
from local.signalr.tokens import sign
from tests.contract.signalr_client.clients import DEADLINE_S, Node, RawClient

KEY = "test-access-key-0123456789-0123456789"
JSON_HANDSHAKE = b'{"protocol":"json","version":1}\x1e'

Answer = tuple[int, bytes]
Handler = Callable[["Recorded"], Awaitable[Answer]]


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


class Target:
    """A SignalR service, the stand-in or a real one, and the ways to talk to it."""

    def __init__(self, base: str, key: str, http: aiohttp.ClientSession, hub: str = "chat") -> None:
        self.base = base
        self.key = key
        self.http = http
        self.hub = hub
        self._clients: list[RawClient] = []

    def token(self, user_id: str | None = "ada", **claims: object) -> str:
        """Return a client token; a claim of None is left out."""
        made = {
            "aud": f"{self.base}/client/?hub={self.hub}",
            "exp": int(time.time()) + 600,
            "asrs.s.uid": user_id,
            **claims,
        }
        return sign({name: value for name, value in made.items() if value is not None}, self.key)

    async def rest(
        self, method: str, path: str, body: object = None, *, token: str | None = None, **query: str
    ) -> Answered:
        """Call *path* of the hub as the Functions extension does."""
        url = f"{self.base}/api/hubs/{self.hub}{path}"
        query = {"api-version": "2022-06-01", **query}
        if token is None:
            token = sign({"aud": url, "exp": int(time.time()) + 60}, self.key)
        headers = {"Authorization": f"Bearer {token}"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
            data = io.BytesIO(json.dumps(body).encode())
        async with self.http.request(
            method, URL(url, encoded=True), params=query, data=data, headers=headers
        ) as response:
            return Answered(response.status, response.headers.copy(), await response.read())

    async def push(self, path: str, *arguments: object, **query: str) -> int:
        """Send `news` the way the extension words it; return the status."""
        body = {"Target": "news", "Arguments": list(arguments)}
        return (await self.rest("POST", f"{path}/:send", body, **query)).status

    async def negotiate(self, token: str, **query: str) -> Answered:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        query = {"hub": self.hub, "negotiateVersion": "1", **query}
        url = f"{self.base}/client/negotiate"
        async with self.http.post(url, params=query, headers=headers) as response:
            return Answered(response.status, response.headers.copy(), await response.read())

    async def connect(self, user_id: str | None = "ada") -> RawClient:
        """Return a raw client once the service knows it."""
        client = await self.open_socket(user_id)
        await client.socket.send_bytes(JSON_HANDSHAKE)
        assert await client.receive() == {}
        async with asyncio.timeout(DEADLINE_S):
            while (await self.rest("HEAD", f"/connections/{client.id}")).status != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return client

    async def open_socket(self, user_id: str | None = "ada") -> RawClient:
        """Return a raw client that has not shaken hands."""
        token = self.token(user_id)
        ticket = json.loads((await self.negotiate(token)).body)
        url = f"{self.base}/client/?hub={self.hub}&id={quote(ticket['connectionToken'])}"
        socket = await self.http.ws_connect(
            url,
            headers={"Authorization": f"Bearer {token}"},
            max_msg_size=0,
            timeout=aiohttp.ClientWSTimeout(ws_close=0.5),
        )
        client = RawClient(ticket["connectionId"], socket, url, token)
        self._clients.append(client)
        return client

    async def hang_up(self) -> None:
        """Close what the test left open."""
        await asyncio.gather(*(client.close() for client in self._clients))


class Stack(Target):
    """The stand-in in this process, with its app."""

    def __init__(
        self, base: str, http: aiohttp.ClientSession, service: Service, app: FakeApp
    ) -> None:
        super().__init__(base, KEY, http)
        self.service = service
        self.app = app

    async def arm(self, **fault: object) -> None:
        """Arm a fault through the control surface."""
        async with self.http.post(f"{self.base}/_control/faults", json=fault) as response:
            assert response.status == 200, await response.text()

    async def metrics(self) -> dict[str, int]:
        async with self.http.get(f"{self.base}/_control/metrics") as response:
            return dict(await response.json())

    def node(self, user_id: str | None = "ada", **options: object) -> Node:
        """Return the real client; it is started, or was refused, when its block begins."""
        asked = {
            "url": f"{self.base}/client/?hub=chat",
            "token": self.token(user_id),
            "listen": ["news"],
            **options,
        }
        return Node(asked)


@contextlib.asynccontextmanager
async def running(
    directory: Path, timing: Timing | None = None, app: FakeApp | None = None, **settings: Any
) -> AsyncIterator[Stack]:
    """Run the service and a fake app in this process, on free ports."""
    app = app or FakeApp()
    async with listening(_webhook(app)) as upstream:
        template = Template(f"{upstream}/runtime/webhooks/signalr?code=extension-key")
        chosen = ServiceSettings(
            KEY, directory, **{"upstream": (template,), "timing": timing or Timing(), **settings}
        )
        async with (
            Service(chosen) as service,
            listening(build_app(service)) as base,
            aiohttp.ClientSession() as http,
        ):
            stack = Stack(base, http, service, app)
            try:
                yield stack
            finally:
                await stack.hang_up()


@contextlib.asynccontextmanager
async def chosen_service(directory: Path) -> AsyncIterator[Target]:
    """Run the stand-in, or reach the service that `CHAT_TEST_SIGNALR_CONNECTION` names."""
    real = os.environ.get("CHAT_TEST_SIGNALR_CONNECTION")  # noqa: TID251 (chooses what is tested)
    if not real:
        async with running(directory) as stack:
            yield stack
        return
    parts = dict(part.split("=", 1) for part in real.strip(";").split(";"))
    base = parts["Endpoint"].rstrip("/") + (f":{parts['Port']}" if "Port" in parts else "")
    async with aiohttp.ClientSession() as http:
        target = Target(base, parts["AccessKey"], http, hub="parleytest")
        try:
            yield target
        finally:
            await target.hang_up()


def _webhook(app: FakeApp) -> web.Application:
    host = web.Application(client_max_size=1 << 25)
    host.router.add_post("/runtime/webhooks/signalr", app.webhook)
    return host


@contextlib.asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
