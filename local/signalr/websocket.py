"""The WebSocket transport.

Frames are written straight to the socket's transport, already encoded, so that a message to many
clients costs each of them one write and no task switch. The socket's own write buffer is the
queue of its connection.
"""

import asyncio
from collections.abc import Callable

from aiohttp import WSMsgType, web

from local.signalr.connection import Connection, Transport
from local.signalr.frames import Frame
from local.signalr.protocol import MAX_MESSAGE_BYTES

_CLOSE_S = 2.0
_NO_CLOSE = "The client left without the closing handshake."
# A message, its terminator and the handshake may share a frame.
_MAX_FRAME_BYTES = MAX_MESSAGE_BYTES + 8192


class WebSocketTransport:
    inherent_keep_alive = False

    def __init__(self, socket: web.WebSocketResponse, stream: asyncio.Transport) -> None:
        self._socket = socket
        self._stream = stream
        self._closing: asyncio.Task[None] | None = None

    @property
    def buffered_bytes(self) -> int:
        return self._stream.get_write_buffer_size()

    def is_gone(self, now: float) -> bool:  # noqa: ARG002 (a socket tells at once)
        return self._stream.is_closing()

    def write(self, frame: Frame) -> None:
        if not self._stream.is_closing():
            self._stream.write(frame.websocket)

    def finish(self) -> None:
        self._closing = asyncio.get_running_loop().create_task(self._close())

    def abort(self) -> None:
        self._stream.abort()

    async def closed(self) -> None:
        """Return when the last frame is out, or after two seconds without that."""
        if self._closing is not None:
            await self._closing

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._socket.close()
        except (TimeoutError, ConnectionError):
            self._stream.abort()


async def serve_websocket(
    request: web.Request, open_connection: Callable[[Transport], Connection]
) -> web.WebSocketResponse:
    """Carry one connection until its socket closes."""
    socket = web.WebSocketResponse(
        timeout=_CLOSE_S, compress=False, max_msg_size=_MAX_FRAME_BYTES, decode_text=False
    )
    await socket.prepare(request)
    if request.transport is None:
        return socket  # the client left during the upgrade
    transport = WebSocketTransport(socket, request.transport)
    await _read(socket, open_connection(transport))
    await transport.closed()
    return socket


async def _read(socket: web.WebSocketResponse, connection: Connection) -> None:
    error: str | None = _NO_CLOSE
    try:
        while True:
            message = await socket.receive()
            if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                await connection.feed(message.data)
                continue
            if message.type is WSMsgType.CLOSE:
                error = None
            elif message.type is WSMsgType.ERROR:
                error = str(message.data)
            break
    finally:
        connection.leave(error)
