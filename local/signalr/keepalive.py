"""Keeping time for all connections at once: pings, silent clients, unfinished handshakes."""

import asyncio

from local.signalr.connection import Connection
from local.signalr.frames import Frame
from local.signalr.protocol import CODECS
from local.signalr.service import Service
from local.signalr.settings import Timing

_PINGS = {name: Frame(codec.ping, binary=codec.binary) for name, codec in CODECS.items()}
_FORGET_EVERY_S = 60.0


async def keep_alive(service: Service) -> None:
    """Look after every connection each `sweep_s`, until cancelled."""
    timing = service.settings.timing
    time = asyncio.get_running_loop().time
    forget_at = time()
    while True:
        await asyncio.sleep(timing.sweep_s)
        now = time()
        for token, connection in list(service.carried.items()):
            if not connection.ended:
                _look_after(connection, timing, now)
            elif connection.transport.is_gone(now):
                service.carried.pop(token, None)
        service.tickets.forget_expired()
        if now >= forget_at:
            service.user_groups.forget_expired()
            forget_at = now + _FORGET_EVERY_S


def _look_after(connection: Connection, timing: Timing, now: float) -> None:
    transport = connection.transport
    if transport.is_gone(now):
        connection.lose("The client left without closing.")
    elif connection.codec is None:
        if now - connection.opened_at > timing.handshake_s:
            connection.refuse_handshake("Handshake was canceled.")
    elif not transport.inherent_keep_alive:
        _ping(connection, timing, now)


def _ping(connection: Connection, timing: Timing, now: float) -> None:
    # A client that is held back until upstream answers cannot be heard.
    if now - connection.received_at > timing.silent_s and not connection.inbox.full():
        connection.close("The client has been silent for too long.", allow_reconnect=True)
    elif now - connection.sent_at >= timing.ping_s and connection.codec is not None:
        connection.deliver(_PINGS[connection.codec.name])
