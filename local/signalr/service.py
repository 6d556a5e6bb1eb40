"""One instance of the service: its state, and the life of its connections."""

import asyncio
from typing import Self

from local.common.faults import Fault
from local.signalr.connection import Connection, Ticket, Transport
from local.signalr.delivery import Counters, Delivery
from local.signalr.faults import SignalRFaults
from local.signalr.groups import UserGroups
from local.signalr.hubs import Hubs
from local.signalr.negotiate import Tickets
from local.signalr.settings import ServiceSettings
from local.signalr.upstream import Upstream

_STOP_S = 1.0


class Service:
    """What the endpoints share. Made inside a running event loop."""

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings = settings
        self.counters = Counters()
        self.faults = SignalRFaults(self._strike_now)
        self.delivery = Delivery(self.faults, self.counters)
        self.hubs = Hubs()
        self.user_groups = UserGroups(settings.directory)
        self.tickets = Tickets(settings.timing.connect_s)
        # By connection token, from connect until the transport has sent its last frame.
        self.carried: dict[str, Connection] = {}
        self._upstream = Upstream(
            settings, delivery=self.delivery, faults=self.faults, counters=self.counters
        )
        self._calls: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await self._upstream.close()
        self.user_groups.close()

    def metrics(self) -> dict[str, object]:
        return {
            "connections": self.hubs.count(),
            "restCalls": self.counters.rest_calls,
            "upstreamCalls": self.counters.upstream_calls,
            "outboundMessages": self.counters.outbound_messages,
            "outboundUnits": self.counters.outbound_units,
        }

    def open(self, ticket: Ticket, query: str, transport: Transport) -> Connection:
        """Begin a connection; it can be found once its handshake is done."""
        connection = Connection(
            ticket,
            query,
            transport,
            buffer_bytes=self.settings.buffer_bytes,
            on_open=self._join,
            on_end=self._leave,
        )
        self.carried[ticket.token] = connection
        return connection

    async def stop(self) -> None:
        """Close every connection, and give upstream a moment to hear of it."""
        for connection in list(self.carried.values()):
            connection.close(None, allow_reconnect=True)
        if self._calls:
            await asyncio.wait(self._calls, timeout=_STOP_S)

    def _join(self, connection: Connection) -> None:
        user_id = connection.user_id
        groups = [] if user_id is None else self.user_groups.list_of(connection.hub, user_id)
        self.hubs.get(connection.hub).join(connection, groups)
        call = asyncio.get_running_loop().create_task(self._serve(connection))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _serve(self, connection: Connection) -> None:
        try:
            await self._upstream.serve(connection)
        finally:
            connection.leave()  # without its caller of upstream, a client would wait forever

    def _leave(self, connection: Connection) -> None:
        self.hubs.get(connection.hub).leave(connection)

    def _strike_now(self, fault: Fault) -> None:
        for connection in self.hubs.connections():
            if fault.kind == "close":
                connection.close("Closed by a fault.", allow_reconnect=True)
            else:
                connection.lose("Cut off by a fault.")
