"""The Server-Sent Events transport: one response that does not end carries every frame.

Source: the SignalR transport protocol specification.
"""

from collections.abc import Callable

from aiohttp import web

from local.signalr.buffered import BufferedTransport
from local.signalr.connection import Connection, Transport

_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache, no-store",
    "X-Accel-Buffering": "no",
}


class EventStreamTransport(BufferedTransport):
    inherent_keep_alive = False

    def __init__(self, request: web.Request) -> None:
        super().__init__()
        self._request = request

    def is_gone(self, now: float) -> bool:  # noqa: ARG002 (a socket tells at once)
        stream = self._request.transport
        return stream is None or stream.is_closing()


async def serve_events(
    request: web.Request, open_connection: Callable[[Transport], Connection]
) -> web.StreamResponse:
    """Carry one connection's frames until it ends or its client leaves."""
    response = web.StreamResponse(headers=_HEADERS)
    await response.prepare(request)
    transport = EventStreamTransport(request)
    connection = open_connection(transport)
    try:
        await response.write(b":\r\n\r\n")  # lets the client know before the first event
        while payloads := await _next(transport):
            await response.write(b"".join(map(_event, payloads)))
    except ConnectionError:
        connection.lose("The client's event stream broke.")
    finally:
        connection.leave()
    return response


async def _next(transport: EventStreamTransport) -> list[bytes]:
    while not transport.buffered_bytes and not transport.finished:
        await transport.wait(None)
    return transport.take()


def _event(payload: bytes) -> bytes:
    lines = payload.replace(b"\r\n", b"\n").split(b"\n")
    return b"".join(b"data: " + line + b"\r\n" for line in lines) + b"\r\n"
