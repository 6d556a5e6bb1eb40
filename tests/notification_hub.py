"""A notification hub on this machine, of the shape of Azure's REST API.

It answers as the documentation says and checks what it is sent by the same. It was not compared
with Azure.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from aiohttp import web

NAME = "parley"
KEY = base64.b64encode(b"k" * 32).decode()


@dataclass(frozen=True, slots=True)
class Sent:
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class HubEndpoint:
    """A hub `parley` in a namespace on this machine."""

    url: str = ""
    status: int = 201
    said: dict[str, str] = field(default_factory=dict)
    location: bool = True
    outcome: str = ""
    sent: list[Sent] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.post("/parley/messages/", self._send),
                web.get("/parley/messages/{id}", self._look),
            ]
        )
        return app

    async def _send(self, request: web.Request) -> web.Response:
        assert request.query_string == "direct&api-version=2015-04"
        assert request.headers["Content-Type"] == "application/json;charset=utf-8"
        self._check(request)
        if self.status != 201:
            return web.Response(status=self.status, headers=self.said)
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.sent.append(Sent(headers, await request.json()))
        where = f"{self.url}/parley/messages/{len(self.sent)}-1?api-version=2015-04"
        return web.Response(status=201, headers={"Location": where} if self.location else {})

    async def _look(self, request: web.Request) -> web.Response:
        assert request.query_string == "api-version=2016-07"
        self._check(request)
        self.looked.append(request.match_info["id"])
        counts = f"<Outcome><Name>{self.outcome}</Name><Count>1</Count></Outcome>"
        details = f"<NotificationDetails><ApnsOutcomeCounts>{counts}</ApnsOutcomeCounts>"
        text = f'<?xml version="1.0" encoding="utf-8"?>{details}</NotificationDetails>'
        return web.Response(text=text, content_type="application/xml")

    def _check(self, request: web.Request) -> None:
        token = request.headers["Authorization"]
        self.tokens.append(token)
        if token.startswith("Bearer "):
            return
        parts = parse_qs(token.removeprefix("SharedAccessSignature "), strict_parsing=True)
        resource = token.partition("sr=")[2].partition("&")[0]
        signed = f"{resource}\n{parts['se'][0]}".encode()
        digest = hmac.new(KEY.encode(), signed, hashlib.sha256).digest()
        assert base64.b64decode(parts["sig"][0]) == digest
        assert str(request.url).lower().startswith(unquote(resource))
        assert 0 < int(parts["se"][0]) - time.time() <= 3600
        assert parts["skn"] == ["Full"]

    @property
    def connection_string(self) -> str:
        return f"Endpoint={self.url}/;SharedAccessKeyName=Full;SharedAccessKey={KEY}"


@asynccontextmanager
async def running_hub() -> AsyncIterator[HubEndpoint]:
    """Give a hub that listens, and end it afterwards."""
    endpoint = HubEndpoint()
    runner = web.AppRunner(endpoint.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield endpoint
    finally:
        await runner.cleanup()
