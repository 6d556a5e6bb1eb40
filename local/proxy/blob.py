"""The HTTP proxy before Azurite: streams everything through, fails on request.

A shared access signature covers path, query and some headers; none of them is touched.
"""

from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from local.common.faults import FaultBoard
from local.common.forward import NoAnswerError, NotSentError, client_session, forward

_SESSION = web.AppKey("session", aiohttp.ClientSession)


def blob_app(target_port: int, faults: FaultBoard) -> web.Application:
    """Return the application that passes every request on to 127.0.0.1:*target_port*."""
    app = web.Application()

    async def session(app: web.Application) -> AsyncIterator[None]:
        async with client_session() as opened:
            app[_SESSION] = opened
            yield

    async def handle(request: web.Request) -> web.StreamResponse:
        fault = await faults.strike() if faults else None
        if fault is not None and fault.kind == "drop":
            return _drop(request)
        if fault is not None:
            return _storage_error(fault.status or 503)
        try:
            return await forward(request.app[_SESSION], request, target_port, patience_s=1)
        except (NotSentError, NoAnswerError):
            return _drop(request)

    app.cleanup_ctx.append(session)
    app.router.add_route("*", "/{path:.*}", handle)
    return app


def _drop(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


def _storage_error(status: int) -> web.Response:
    # Source: learn.microsoft.com, "Status and error codes" of the storage services.
    code = {403: "AuthorizationFailure", 404: "BlobNotFound", 500: "InternalError"}.get(
        status, "ServerBusy"
    )
    text = f"<Error><Code>{code}</Code><Message>Injected fault.</Message></Error>"
    return web.Response(
        status=status,
        text=f'<?xml version="1.0" encoding="utf-8"?>{text}',
        content_type="application/xml",
        headers={"x-ms-error-code": code},
    )
