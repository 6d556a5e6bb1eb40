"""Pushing one message to many clients, and counting what was pushed.

Nothing here waits for a client: a frame goes into each connection's buffer, and a connection
whose buffer is full is closed.

Two messages that one caller sends one after the other must reach a client in that order. `accept`
writes to every buffer before it answers the REST call, without awaiting in between, and a transport
empties its buffer from the front; a caller that waits for the answer has its order. Calls that
overlap have no order, as with the service. Only an armed fault delays or reorders.
"""

import asyncio
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from local.common.faults import Fault
from local.signalr.connection import Connection
from local.signalr.faults import SignalRFaults
from local.signalr.frames import Frame, Push

_REORDER_MS = 200


@dataclass(slots=True)
class Counters:
    """What the control surface shows, since the process started."""

    rest_calls: int = 0
    upstream_calls: int = 0
    outbound_messages: int = 0
    outbound_units: int = 0


@dataclass(frozen=True, slots=True)
class Send:
    """One accepted message and the connections it is for."""

    push: Push
    targets: Iterable[Connection]


class Delivery:
    """Carries out accepted messages, as well as the armed faults let it."""

    def __init__(self, faults: SignalRFaults, counters: Counters) -> None:
        self._faults = faults
        self._counters = counters
        self._held: dict[int, Send] = {}
        self._numbers = itertools.count()

    async def accept(self, send: Send) -> int:
        """Deliver *send* and return the HTTP status to answer with: 202 unless a fault is armed.

        Faults of the operation `deliver`: an error delivers and then fails the call, so its
        caller's retry doubles the message; a drop loses it; a duplicate sends it twice; a
        reorder holds it back until the next one has gone, or `ms` (200) have passed.
        """
        fault = await self._faults.strike("deliver") if self._faults else None
        if fault is None:
            self._deliver(send)
            return 202
        return self._fail(fault, send)

    def reply(self, connection: Connection, payload: bytes) -> None:
        """Send one client what upstream answered it."""
        if connection.codec is not None:
            frame = Frame(payload, binary=connection.codec.binary)
            self._count(frame, int(connection.deliver(frame)))

    def _fail(self, fault: Fault, send: Send) -> int:
        if fault.kind == "reorder":
            self._hold(send, (fault.ms or _REORDER_MS) / 1000)
            return 202
        if fault.kind != "drop":
            self._deliver(send)
        if fault.kind == "duplicate":
            self._deliver(send)
        return (fault.status or 503) if fault.kind == "error" else 202

    def _hold(self, send: Send, wait_s: float) -> None:
        number = next(self._numbers)
        self._held[number] = Send(send.push, list(send.targets))
        asyncio.get_running_loop().call_later(wait_s, self._release, number)

    def _release(self, number: int) -> None:
        send = self._held.pop(number, None)
        if send is not None:
            self._push(send)

    def _deliver(self, send: Send) -> None:
        self._push(send)
        for number in list(self._held):
            self._release(number)

    def _push(self, send: Send) -> None:
        for connection in send.targets:
            if connection.codec is not None:
                frame = send.push.frame(connection.codec)
                self._count(frame, int(connection.deliver(frame)))

    def _count(self, frame: Frame, delivered: int) -> None:
        self._counters.outbound_messages += delivered
        self._counters.outbound_units += delivered * frame.units
