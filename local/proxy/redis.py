"""The TCP proxy before redis-server: bytes through, unless a fault is armed.

Without faults a chunk costs one `write`. With faults, a chunk of whole commands is one operation:
it is delayed, answered with an error for each of its commands, or its connection is dropped.
"""

import asyncio
from collections.abc import Coroutine
from typing import cast, override

import hiredis

from local.common.faults import Fault, FaultBoard

_HIGH_WATER_BYTES = 1024 * 1024


class RedisProxy:
    """Accepts clients and connects each to redis-server."""

    def __init__(self, target_port: int, faults: FaultBoard) -> None:
        self.target_port = target_port
        self.faults = faults
        self.clients: set[_Client] = set()

    async def serve(self, port: int) -> asyncio.Server:
        """Listen on 127.0.0.1:*port*; the answer is a context manager that ends listening."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: _Client(self), "127.0.0.1", port)

    def faults_armed(self) -> None:
        """Drop the connections there are, if nothing is to get through any more."""
        if self.faults.drops_everything:
            for client in list(self.clients):
                client.abort()


class _Client(asyncio.Protocol):
    """The side of a connection that the app sees."""

    def __init__(self, proxy: RedisProxy) -> None:
        self._proxy = proxy
        self._transport: asyncio.Transport | None = None
        self._server: asyncio.Transport | None = None
        self._waiting = bytearray()  # what came before the connection to the server stood
        self._struck: asyncio.Queue[bytes] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=_HIGH_WATER_BYTES)
        if self._proxy.faults.drops_everything:
            self._transport.abort()
            return
        self._proxy.clients.add(self)
        self._spawn(self._connect())

    @override
    def data_received(self, data: bytes) -> None:
        if self._struck is not None:
            self._struck.put_nowait(data)
        elif self._proxy.faults:
            self._struck = asyncio.Queue()
            self._struck.put_nowait(data)
            self._spawn(self._strike_each(self._struck))
        else:
            self._to_server(data)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._proxy.clients.discard(self)
        for task in self._tasks:
            task.cancel()
        if self._server is not None:
            self._server.close()

    @override
    def pause_writing(self) -> None:
        if self._server is not None:
            self._server.pause_reading()

    @override
    def resume_writing(self) -> None:
        if self._server is not None:
            self._server.resume_reading()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            server, _ = await loop.create_connection(
                lambda: _Server(cast("asyncio.Transport", self._transport)),
                "127.0.0.1",
                self._proxy.target_port,
            )
        except OSError:
            self.abort()
            return
        self._server = server
        if self._waiting:
            server.write(bytes(self._waiting))
            self._waiting.clear()

    def _to_server(self, data: bytes) -> None:
        if self._server is None:
            self._waiting += data
        else:
            self._server.write(data)

    async def _strike_each(self, chunks: asyncio.Queue[bytes]) -> None:
        # Ends with the first quiet moment after the last fault is gone, so no chunk overtakes.
        held = _Commands()
        while self._proxy.faults or held.data or not chunks.empty():
            held.feed(await chunks.get())
            if held.whole:
                fault = await self._proxy.faults.strike()
                self._carry_out(fault, held)
                held = _Commands()
        self._struck = None

    def _carry_out(self, fault: Fault | None, commands: "_Commands") -> None:
        if fault is None:
            self._to_server(bytes(commands.data))
        elif fault.kind == "drop" or commands.alien or self._transport is None:
            self.abort()
        else:
            self._transport.write(_error(fault.status) * commands.count)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Server(asyncio.Protocol):
    """The side of a connection that redis-server sees."""

    def __init__(self, client: asyncio.Transport) -> None:
        self._client = client
        self.data_received = client.write  # type: ignore[method-assign]

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._client.close()


class _Commands:
    """Bytes held back until they are whole commands, or clearly none."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.count = 0
        self.alien = False
        self._reader = hiredis.Reader()

    @property
    def whole(self) -> bool:
        return self.alien or not self._reader.has_data()

    def feed(self, chunk: bytes) -> None:
        self.data += chunk
        self._reader.feed(chunk)
        try:
            while self._reader.gets() is not False:
                self.count += 1
        except hiredis.ProtocolError:
            self.alien = True


def _error(status: int | None) -> bytes:
    if status == 503:
        return b"-LOADING Redis is loading the dataset in memory\r\n"
    return b"-ERR injected fault\r\n"
