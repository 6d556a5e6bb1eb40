"""What a session sends: flows, deliveries within the peer's window, and dispositions.

Source: AMQP 1.0 part 2 (transport), section 2.5.6 "session flow control".
"""

import uuid
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from local.servicebus.amqp.frames import build_frame
from local.servicebus.amqp.performatives import (
    Begin,
    Disposition,
    Flow,
    Performative,
    Transfer,
)
from local.servicebus.amqp.types import Described, UInt
from local.servicebus.queue import Queue
from local.servicebus.store import Store

WINDOW = 0x7FFFFFFF
_MASK = 0xFFFFFFFF  # transfer and delivery ids are serial numbers of 32 bits
_TRANSFER_OVERHEAD = 100  # bytes of a transfer frame beside its payload, at most


class Transport(Protocol):
    """What a session needs of its connection."""

    @property
    def max_frame_bytes(self) -> int:
        """The largest frame the peer takes."""

    def is_congested(self) -> bool:
        """Whether the peer reads more slowly than we write."""

    def write(self, data: bytes) -> None: ...


class Unsettled(NamedTuple):
    handle: int
    queue: Queue
    token: uuid.UUID


class Outgoing:
    """The sending half of a session; the `LinkIO` of its links."""

    def __init__(self, transport: Transport, channel: int, begin: Begin, store: Store) -> None:
        self.unsettled: Final[dict[int, Unsettled]] = {}
        self.replies: Final[dict[str, Callable[[bytes], None]]] = {}
        self.next_incoming_id = begin.next_outgoing_id
        self._transport = transport
        self._channel = channel
        self._store = store
        self._next_outgoing_id = 0
        self._next_delivery_id = 0
        self._peer_window = begin.incoming_window
        self._held_back: deque[bytes] = deque()
        self._is_open = True

    def close(self) -> None:
        """Send nothing more. What is unsettled stays locked until its locks run out."""
        self._is_open = False
        self.unsettled.clear()
        self.replies.clear()
        self._held_back.clear()

    def send(self, performative: Performative) -> None:
        if self._is_open:
            self._transport.write(build_frame(performative, channel=self._channel))

    def on_flow(self, flow: Flow) -> None:
        """Take in the peer's window, and send what waited for it."""
        expected = flow.next_incoming_id or 0
        self._peer_window = (expected + flow.incoming_window - self._next_outgoing_id) & _MASK
        self.next_incoming_id = flow.next_outgoing_id
        while self._held_back and self._peer_window > 0:
            self._write_transfer(self._held_back.popleft())

    def count_incoming_transfer(self) -> None:
        self.next_incoming_id = (self.next_incoming_id + 1) & _MASK

    def send_session_flow(self) -> None:
        self.send(Flow(*self._window()))

    def forget(self, handle: int) -> None:
        """Drop what was sent on a link that has ended."""
        for delivery_id in [number for number, each in self.unsettled.items() if each[0] == handle]:
            del self.unsettled[delivery_id]

    def can_send(self) -> bool:
        return (
            self._is_open
            and self._peer_window > 0
            and not self._held_back
            and not self._transport.is_congested()
        )

    def send_flow(
        self, handle: int, delivery_count: int, credit: int, *, drain: bool = False
    ) -> None:
        link_part = (UInt(handle), UInt(delivery_count), UInt(credit))
        self.send(Flow(*self._window(), *link_part, drain=drain or None))

    def send_delivery(
        self, handle: int, tag: bytes, message: bytes, queue: Queue | None = None
    ) -> None:
        if not self._is_open:
            return
        delivery_id = self._next_delivery_id
        self._next_delivery_id = (delivery_id + 1) & _MASK
        if queue is not None:
            self.unsettled[delivery_id] = Unsettled(handle, queue, uuid.UUID(bytes_le=tag))
        size = self._transport.max_frame_bytes - _TRANSFER_OVERHEAD
        for start in range(0, len(message), size):
            transfer = Transfer(
                handle=UInt(handle),
                delivery_id=UInt(delivery_id),
                delivery_tag=tag,
                message_format=UInt(0),
                settled=queue is None,
                more=start + size < len(message),
            )
            self._send_transfer(transfer, message[start : start + size])

    def settle_incoming(self, delivery_id: int, state: Described) -> None:
        self._confirm(Disposition(role=True, first=UInt(delivery_id), settled=True, state=state))

    def settle_outgoing(self, delivery_id: int, state: Described) -> None:
        self._confirm(Disposition(role=False, first=UInt(delivery_id), settled=True, state=state))

    def after_commit(self, act: Callable[[], None]) -> None:
        self._store.after_commit(act)

    def _confirm(self, disposition: Disposition) -> None:
        self._store.after_commit(lambda: self.send(disposition))

    def _send_transfer(self, transfer: Transfer, payload: bytes) -> None:
        frame = build_frame(transfer, channel=self._channel, payload=payload)
        if self._held_back or self._peer_window <= 0:
            self._held_back.append(frame)
        else:
            self._write_transfer(frame)

    def _write_transfer(self, frame: bytes) -> None:
        self._peer_window -= 1
        self._next_outgoing_id = (self._next_outgoing_id + 1) & _MASK
        self._transport.write(frame)

    def _window(self) -> tuple[UInt, UInt, UInt, UInt]:
        return (
            UInt(self.next_incoming_id),
            UInt(WINDOW),
            UInt(self._next_outgoing_id),
            UInt(WINDOW),
        )
