"""One client's connection, whatever carries it: handshake, messages in, frames out, the end.

A connection ends exactly once, however many of its parts notice: `on_end` is called at that
moment, so that from then on nobody finds it, while the transport may still be flushing.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from local.signalr.frames import Frame
from local.signalr.handshake import ACCEPTED, Handshake, HandshakeError
from local.signalr.protocol import ClientMessage, Codec, Inbound, MessageType, ProtocolError
from local.signalr.tokens import Identity

_INBOX_MESSAGES = 32
_BROKEN = "Connection closed with an error."
_NO_STREAMS = "Streaming is not supported in serverless mode."


class Transport(Protocol):
    """What moves the frames. Nothing here waits: a slow client fills the buffer, not the caller."""

    @property
    def buffered_bytes(self) -> int: ...

    @property
    def inherent_keep_alive(self) -> bool:
        """Whether the transport itself shows that both ends live, so nobody has to ping."""
        ...

    def is_gone(self, now: float) -> bool:
        """Tell whether the client has left without a word."""
        ...

    def write(self, frame: Frame) -> None: ...

    def finish(self) -> None:
        """Close once everything written is out."""
        ...

    def abort(self) -> None:
        """Close now."""
        ...


@dataclass(frozen=True, slots=True)
class Ticket:
    """What negotiate promised: the ids of a connection to come, and whose it is."""

    connection_id: str
    token: str
    hub: str
    identity: Identity
    expires_at: float = field(compare=False)


class Connection:
    """One client.

    Args:
        query: The query string of the connect call, without `?`.
        buffer_bytes: What may wait in *transport*; beyond it the client is too slow and is closed.
        on_open: Called when the handshake is done.
        on_end: Called once, when the connection begins to end.

    """

    def __init__(
        self,
        ticket: Ticket,
        query: str,
        transport: Transport,
        *,
        buffer_bytes: int,
        on_open: Callable[["Connection"], None],
        on_end: Callable[["Connection"], None],
    ) -> None:
        self.id = ticket.connection_id
        self.ticket = ticket
        self.hub = ticket.hub
        self.user_id = ticket.identity.user_id
        self.query = query
        self.groups: set[str] = set()
        self.transport = transport
        self.codec: Codec | None = None
        self.ended = False
        self.error: str | None = None
        self.inbox: asyncio.Queue[ClientMessage] = asyncio.Queue(_INBOX_MESSAGES)
        self._buffer_bytes = self._room_bytes = buffer_bytes
        self._on_open = on_open
        self._on_end = on_end
        self._handshake = Handshake()
        self._inbound: Inbound | None = None
        self._time = asyncio.get_running_loop().time
        self.opened_at = self.received_at = self.sent_at = self._time()

    async def feed(self, data: bytes) -> None:
        """Take bytes from the client.

        Waits while the client is too far ahead of upstream. Whatever the client sends, it ends
        at most this connection.
        """
        try:
            rest = data if self._inbound else self._shake_hands(data)
            if rest:
                await self._receive(rest)
        except HandshakeError as error:
            self._refuse(error)
        except ProtocolError:
            self.close(_BROKEN)
        except asyncio.QueueShutDown:
            pass  # the connection ended while its client was being held back

    def deliver(self, frame: Frame) -> bool:
        """Write *frame* without waiting; False when the client is gone or too slow to keep."""
        if self.ended:
            return False
        if not self._has_room(frame):
            self.lose("The client does not read.")
            return False
        self.transport.write(frame)
        self.sent_at = self._time()
        return True

    def close(self, error: str | None, *, allow_reconnect: bool = False) -> None:
        """End the connection and tell the client why."""
        if self.ended:
            return
        if self.codec is not None:
            payload = self.codec.close(error, allow_reconnect=allow_reconnect)
            self.transport.write(Frame(payload, binary=self.codec.binary))
        self.leave(error)

    def leave(self, error: str | None = None) -> None:
        """End the connection after what is written; *error* is what upstream is told."""
        if self._end(error):
            self.transport.finish()

    def lose(self, error: str | None) -> None:
        """End the connection at once: the client cannot be reached."""
        if self._end(error):
            self.transport.abort()

    def refuse_handshake(self, reason: str) -> None:
        self._refuse(HandshakeError(reason))

    def _has_room(self, frame: Frame) -> bool:
        buffered_bytes = self.transport.buffered_bytes
        if not buffered_bytes:
            self._room_bytes = self._buffer_bytes
        # One large frame must not cost its reader the small one that follows.
        has_room = buffered_bytes <= self._room_bytes
        self._room_bytes = max(self._room_bytes, self._buffer_bytes + len(frame.payload))
        return has_room

    def _refuse(self, error: HandshakeError) -> None:
        self.transport.write(Frame(error.reply, binary=False))
        self.leave(str(error))

    def _end(self, error: str | None) -> bool:
        if self.ended:
            return False
        self.ended = True
        self.error = error
        self.inbox.shutdown()
        self._on_end(self)
        return True

    def _shake_hands(self, data: bytes) -> bytes:
        agreed = self._handshake.feed(data)
        if agreed is None:
            return b""
        self.codec, rest = agreed
        self._inbound = Inbound(self.codec)
        self.transport.write(Frame(ACCEPTED, binary=self.codec.binary))
        self.received_at = self._time()
        self._on_open(self)
        return rest

    async def _receive(self, data: bytes) -> None:
        if self._inbound is None or self.ended:
            return
        for message in self._inbound.feed(data):
            self.received_at = self._time()
            if message.type == MessageType.INVOCATION:
                await self.inbox.put(message)
            elif message.type == MessageType.STREAM_INVOCATION:
                self._refuse_stream(message)
            elif message.type == MessageType.CLOSE:
                self.leave()

    def _refuse_stream(self, message: ClientMessage) -> None:
        if self.codec is not None and message.invocation_id is not None:
            payload = self.codec.completion(message.invocation_id, _NO_STREAMS)
            self.deliver(Frame(payload, binary=self.codec.binary))
