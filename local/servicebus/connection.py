"""One TCP connection: protocol headers, SASL, open and close, heartbeats, sessions.

Source: AMQP 1.0 part 2 (transport), sections 2.2 and 2.4, and part 5 (security), section 5.3.
"""

import asyncio
import time
import uuid
from dataclasses import dataclass
from typing import Final, cast, override

from local.common.faults import Fault
from local.servicebus.amqp.frames import (
    AMQP_HEADER,
    EMPTY_FRAME,
    SASL_HEADER,
    SASL_TYPE,
    Frame,
    FrameReader,
    build_frame,
)
from local.servicebus.amqp.performatives import (
    Begin,
    Close,
    End,
    Open,
    Performative,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    read_performative,
)
from local.servicebus.amqp.types import Array, DecodeError, Symbol, UByte, UInt, UShort
from local.servicebus.attach import AttachContext
from local.servicebus.broker import Broker
from local.servicebus.errors import (
    CONNECTION_FORCED,
    DECODE_ERROR,
    NOT_ALLOWED,
    RESOURCE_LIMIT,
    AmqpError,
    PeerError,
    SessionError,
)
from local.servicebus.faults import Faults
from local.servicebus.session import Session
from local.servicebus.tokens import Authorization

MAX_FRAME_BYTES = 65_536  # as the service announces
IDLE_TIMEOUT_S = 240.0  # as the service announces; twice as long without a frame ends it
HANDSHAKE_TIMEOUT_S = 30.0
CHANNEL_MAX = 255
_MECHANISM = Symbol("ANONYMOUS")


@dataclass(slots=True)
class Namespace:
    """What every connection shares."""

    broker: Broker
    faults: Faults
    key: str


class Connection(asyncio.Protocol):
    """Speaks AMQP with one client."""

    def __init__(self, namespace: Namespace, connections: "set[Connection]") -> None:
        self.max_frame_bytes = 512
        self._namespace = namespace
        self._connections = connections
        self._place: Final = AttachContext(
            namespace.broker, Authorization(namespace.key, self._watch_grant)
        )
        self._loop: Final = asyncio.get_running_loop()
        self._reader = FrameReader(MAX_FRAME_BYTES)
        self._transport: asyncio.Transport | None = None
        self._sessions: dict[int, Session] = {}
        self._is_authenticated = self._is_open = self._is_congested = False
        self._under_fault: asyncio.Task[None] | None = None
        self._heard_at = self._loop.time()
        self._beat: asyncio.TimerHandle | None = None
        self._grants: list[asyncio.TimerHandle] = []
        self._watch = self._loop.call_later(HANDSHAKE_TIMEOUT_S, self._check_silence)

    # What the event loop calls

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's class is not a subclass
        self._connections.add(self)
        if self._namespace.faults.drops_everything:
            self.drop()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._transport = None
        self._end_sessions()
        for timer in (self._watch, self._beat, self._under_fault, *self._grants):
            if timer is not None:
                timer.cancel()

    @override
    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        self._reader.feed(data)
        self._pump()

    @override
    def pause_writing(self) -> None:
        self._is_congested = True

    @override
    def resume_writing(self) -> None:
        self._is_congested = False
        for session in self._sessions.values():
            session.refill()

    # What sessions call

    def is_congested(self) -> bool:
        return self._is_congested

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    # The life of the connection

    def close(self, error: AmqpError | None = None) -> None:
        """Say close, with the reason if there is one, and hang up."""
        self._end_sessions()
        if self._is_open:
            self._is_open = False
            self.write(build_frame(Close(None if error is None else error.encoded())))
        if self._transport is not None:
            self._transport.close()

    def drop(self) -> None:
        """Hang up without a word."""
        if self._transport is not None:
            self._transport.abort()

    def _end_sessions(self) -> None:
        for session in self._sessions.values():
            session.closed(answer=False)
        self._sessions.clear()

    def _pump(self) -> None:
        try:
            while self._under_fault is None and self._transport is not None:
                item = self._reader.next_item()
                if item is None:
                    return
                self._on_item(item)
        except DecodeError as error:
            self.close(PeerError(DECODE_ERROR, str(error)))
        except PeerError as error:
            self.close(error)

    def _on_item(self, item: bytes | Frame) -> None:
        if isinstance(item, bytes):
            self._on_header(item)
        elif item.body:
            performative, end = read_performative(item.body)
            if item.kind == SASL_TYPE:
                self._on_sasl(performative)
            else:
                self._on_performative(item.channel, performative, item.body[end:])

    def _on_header(self, header: bytes) -> None:
        if header == SASL_HEADER and not self._is_authenticated:
            mechanisms = SaslMechanisms(Array([_MECHANISM]))
            self.write(SASL_HEADER + build_frame(mechanisms, kind=SASL_TYPE))
        elif header == AMQP_HEADER and self._is_authenticated:
            self.write(AMQP_HEADER)
        else:
            self.write(SASL_HEADER)  # how a peer learns what is spoken here (section 2.2)
            self.close()

    def _on_sasl(self, performative: Performative) -> None:
        if not isinstance(performative, SaslInit) or self._is_authenticated:
            raise PeerError(NOT_ALLOWED, "only sasl-init was expected")
        self._is_authenticated = performative.mechanism == _MECHANISM
        outcome = SaslOutcome(UByte(0 if self._is_authenticated else 1))
        self.write(build_frame(outcome, kind=SASL_TYPE))
        if not self._is_authenticated:
            self.close()
        self._reader.expect_header()

    def _on_performative(self, channel: int, performative: Performative, payload: bytes) -> None:
        match performative:
            case Open() if not self._is_open and self._is_authenticated:
                self._on_open(performative)
            case Close():
                self.close()
            case _ if not self._is_open:
                raise PeerError(NOT_ALLOWED, "open comes first")
            case Open() | SaslInit() | SaslMechanisms() | SaslOutcome():
                raise PeerError(NOT_ALLOWED, "the connection is open already")
            case Begin():
                self._on_begin(channel, performative)
            case End():
                session = self._sessions.pop(channel, None)
                if session is not None:
                    session.closed()
            case _:
                self._on_session_frame(channel, performative, payload)

    def _on_open(self, peer_open: Open) -> None:
        self._is_open = True
        self.max_frame_bytes = max(512, peer_open.max_frame_size or MAX_FRAME_BYTES)
        own_open = Open(
            container_id=uuid.uuid4().hex,
            max_frame_size=UInt(MAX_FRAME_BYTES),
            channel_max=UShort(CHANNEL_MAX),
            idle_time_out=UInt(round(IDLE_TIMEOUT_S * 1000)),
        )
        self.write(build_frame(own_open))
        if peer_open.idle_time_out:
            self._keep_alive(peer_open.idle_time_out / 2000)

    def _on_begin(self, channel: int, begin: Begin) -> None:
        if channel in self._sessions or channel > CHANNEL_MAX:
            raise PeerError(RESOURCE_LIMIT, "the channel is taken or out of range")
        self._sessions[channel] = session = Session(self, channel, begin, self._place)
        session.opened()

    def _on_session_frame(self, channel: int, performative: Performative, payload: bytes) -> None:
        session = self._sessions.get(channel)
        if session is None:
            return  # frames that were under way when the session ended
        operation = session.operation_of(performative) if self._namespace.faults else None
        if operation is None:
            self._handle(channel, session, performative, payload, None)
            return
        work = self._through_faults(channel, session, performative, payload, operation)
        self._under_fault = self._loop.create_task(work)

    async def _through_faults(
        self,
        channel: int,
        session: Session,
        performative: Performative,
        payload: bytes,
        operation: str,
    ) -> None:
        fault = await self._namespace.faults.strike(operation)
        self._under_fault = None
        if fault is not None and fault.kind == "drop":
            self.drop()
        elif self._transport is not None:
            self._handle(channel, session, performative, payload, fault)
            self._pump()

    def _handle(
        self,
        channel: int,
        session: Session,
        performative: Performative,
        payload: bytes,
        fault: Fault | None,
    ) -> None:
        try:
            session.handle(performative, payload, fault)
        except SessionError as error:
            self._sessions.pop(channel, None)
            session.closed(error)

    # What becomes due

    # A token can expire while its links are in use: each grant sets a timer. A renewed token adds a
    # later one, and `check_access` asks for any valid grant, so the old token's timer ends no link
    # of the new one. Proof: test_a_link_ends_with_the_token_it_was_opened_with in tests/contract.
    def _watch_grant(self, ends_at_s: int) -> None:
        timer = self._loop.call_later(ends_at_s - time.time(), self._end_grant, ends_at_s)
        self._grants = [each for each in self._grants if each.when() > self._loop.time()]
        self._grants.append(timer)

    def _end_grant(self, ends_at_s: int) -> None:
        if time.time() < ends_at_s:  # the loop counts by another clock, which can run ahead
            self._watch_grant(ends_at_s)
            return
        for session in self._sessions.values():
            session.check_access()

    def _keep_alive(self, every_s: float) -> None:
        self.write(EMPTY_FRAME)
        self._beat = self._loop.call_later(every_s, self._keep_alive, every_s)

    def _check_silence(self) -> None:
        if not self._is_open:
            self.drop()
            return
        deadline = self._heard_at + 2 * IDLE_TIMEOUT_S
        if self._loop.time() >= deadline:
            self.close(PeerError(CONNECTION_FORCED, "the connection was idle for too long"))
        else:
            self._watch = self._loop.call_at(deadline, self._check_silence)
