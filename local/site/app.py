"""The site's application: all routes of the front door, and what they share."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from local.common.forward import client_session
from local.common.settings import LocalSettings
from local.common.vapid import load_or_create_vapid_key
from local.site.directory import Directory
from local.site.feeder import Feeder
from local.site.gateway import Gateway
from local.site.issuer import Issuer
from local.site.operations import Operations
from local.site.pages import Pages
from local.site.people import People
from local.site.problems import Handler, ProblemError, as_problems
from local.site.push import PushService, server_key_of
from local.site.storage import Storage

_LOCAL_NAMES = {"127.0.0.1", "localhost", "[::1]", "::1"}


@contextlib.asynccontextmanager
async def site_app(settings: LocalSettings, page_folder: Path) -> AsyncIterator[web.Application]:
    """Give the front door's application for the length of the `async with` block.

    It feeds the chat with the site's users from the first moment on.
    """
    ports = settings.ports
    origin = f"http://127.0.0.1:{ports.front}"
    folder = settings.directory / "site"
    folder.mkdir(mode=0o700, exist_ok=True)
    with contextlib.closing(Storage(folder / "site.db")) as storage:
        async with aiohttp.ClientSession() as own, client_session() as passing:
            directory = Directory(storage, origin)
            issuer = Issuer(folder, origin)
            feeder = Feeder(own, ports.host, directory, issuer)
            server_key = server_key_of(load_or_create_vapid_key(settings.directory))
            operations = Operations(own, ports)
            app = web.Application(middlewares=[as_problems, only_local])
            app.router.add_get("/_control/health", _health(feeder, directory))
            app.add_routes(People(directory, issuer, feeder).routes())
            app.add_routes(PushService(storage, origin, server_key).routes())
            app.add_routes(operations.routes())
            app.add_routes(Gateway(passing, ports.host).routes())
            app.add_routes(Pages(page_folder, ports).routes())
            with contextlib.closing(operations):
                async with _feeding(feeder, directory):
                    yield app


@web.middleware
async def only_local(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other sites' pages: by their name for us (DNS rebinding), or by their origin.

    The development calls have no other protection, and need none on one's own machine.
    """
    if _name_of(f"//{request.host}") not in _LOCAL_NAMES:
        raise ProblemError(403, "the front door answers to 127.0.0.1 and localhost only")
    origin = request.headers.get("Origin")
    if request.path.startswith("/dev/") and origin and _name_of(origin) not in _LOCAL_NAMES:
        raise ProblemError(403, "another site's page may not call this")
    return await handler(request)


def _name_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _health(feeder: Feeder, directory: Directory) -> Handler:
    demo = directory.list_ids(demo_only=True)

    async def health(_: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "ok", "fed": feeder.has_fed(demo)})

    return health


@contextlib.asynccontextmanager
async def _feeding(feeder: Feeder, directory: Directory) -> AsyncIterator[None]:
    feeder.enqueue_all(directory.list_ids())
    task = asyncio.create_task(feeder.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
