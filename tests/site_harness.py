"""The site alone on free ports, with a stand-in for the Functions host behind it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from local.common.process import http_server
from local.common.settings import LocalSettings, Ports
from local.site.app import site_app
from tests.support.ports import free_block


@dataclass
class FakeHost:
    """Takes users as the app does, and answers every other call with what it was sent."""

    fed: list[dict[str, Any]] = field(default_factory=list)
    refuses: bool = False

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/site/users", self._take)
        app.router.add_get("/api/endless", self._endless)
        app.router.add_get("/api/broken", self._broken)
        app.router.add_route("*", "/{path:.*}", self._echo)
        return app

    async def _take(self, request: web.Request) -> web.Response:
        if self.refuses:
            return web.Response(status=503)
        self.fed += (await request.json())["items"]
        return web.Response(status=204)

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        with contextlib.suppress(ConnectionError):  # the front door leaves when its client does
            await reply.prepare(request)
            while True:
                await reply.write(b"x" * 1024)
        return reply

    async def _broken(self, request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse(headers={"Content-Length": "10"})
        await reply.prepare(request)
        await reply.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return reply

    async def _echo(self, request: web.Request) -> web.Response:
        body = await request.read()
        seen = {
            "method": request.method,
            "path": request.raw_path,
            "headers": dict(request.headers),
            "body": body.decode(),
        }
        return web.json_response(seen, status=int(request.query.get("status", "200")))


@dataclass
class Site:
    """The running site, a session that talks to it, and the host behind it."""

    settings: LocalSettings
    session: aiohttp.ClientSession
    host: FakeHost
    page: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.ports.front}"

    async def json(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        async with self.session.request(method, f"{self.url}{path}", json=body) as reply:
            return reply.status, await reply.json(content_type=None)

    async def subscribe(self, user_id: str) -> dict[str, Any]:
        status, made = await self.json("POST", "/dev/push-subscription", {"userId": user_id})
        assert status == 200
        subscription: dict[str, Any] = made
        return subscription


@contextlib.asynccontextmanager
async def running_site(directory: Path, *, with_host: bool = True) -> AsyncIterator[Site]:
    """Give the site with its data in *directory*."""
    settings = LocalSettings(Ports(free_block()), directory)
    page = directory / "page"
    page.mkdir(exist_ok=True)
    host = FakeHost()
    async with contextlib.AsyncExitStack() as stack:
        if with_host:
            await stack.enter_async_context(http_server(host.app(), settings.ports.host))
        app = await stack.enter_async_context(site_app(settings, page))
        await stack.enter_async_context(http_server(app, settings.ports.front))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield Site(settings, session, host, page)
