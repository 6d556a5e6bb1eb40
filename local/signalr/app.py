"""The web application of one instance."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from local.common.control import add_control_routes
from local.signalr.client import ClientEndpoint
from local.signalr.keepalive import keep_alive
from local.signalr.rest import RestApi
from local.signalr.service import Service

_MAX_BODY_BYTES = 1024 * 1024


def build_app(service: Service) -> web.Application:
    """Return the application that serves *service*: client endpoint, REST API and control."""
    app = web.Application(client_max_size=_MAX_BODY_BYTES)
    ClientEndpoint(service).add_routes(app)
    RestApi(service).add_routes(app)
    add_control_routes(app, service.faults, service.metrics)

    async def keep(_: web.Application) -> AsyncIterator[None]:
        keeper = asyncio.get_running_loop().create_task(keep_alive(service))
        yield
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper

    async def stop(_: web.Application) -> None:
        await service.stop()

    app.cleanup_ctx.append(keep)
    app.on_shutdown.append(stop)
    return app
