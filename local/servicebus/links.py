"""Links: where messages and requests enter a session, and where messages and replies leave it."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, override

from local.servicebus.amqp.performatives import Attach, Flow, Transfer
from local.servicebus.amqp.types import DecodeError
from local.servicebus.broker import Broker
from local.servicebus.delivery import Delivery
from local.servicebus.errors import (
    DECODE_ERROR,
    MESSAGE_TOO_LARGE,
    TRANSFER_LIMIT,
    AmqpError,
    LinkError,
)
from local.servicebus.link_io import LinkIO
from local.servicebus.message import BATCH_FORMAT, encode_delivery, parse, split_batch
from local.servicebus.queue import Queue
from local.servicebus.requests import PropertyNames, Reply, Request, encode_reply, read_request
from local.servicebus.settlement import ACCEPTED, rejected

MAX_MESSAGE_BYTES = 262_144  # of the Standard tier. Source: "Service Bus quotas".
_CREDIT = 1_000
_SEQUENCE_MASK = 0xFFFFFFFF  # delivery counts are serial numbers of 32 bits


class Link(ABC):
    """One end of a link, named by the *handle* that the peer chose."""

    def __init__(self, link_io: LinkIO, attach: Attach, address: str) -> None:
        self.link_io: Final = link_io
        self.name: Final = attach.name
        self.handle: Final = attach.handle
        self.address: Final = address

    @abstractmethod
    def opened(self) -> None:
        """Begin, now that the attach is answered."""

    @abstractmethod
    def on_flow(self, flow: Flow) -> None: ...

    @abstractmethod
    def closed(self) -> None:
        """Let go of what the link held, now that it has ended."""


class InboundLink(Link):
    """A link the peer sends on: puts deliveries together and keeps the peer in credit."""

    def __init__(self, link_io: LinkIO, attach: Attach, address: str) -> None:
        super().__init__(link_io, attach, address)
        self._count = attach.initial_delivery_count or 0
        self._credit = 0
        self._parts = bytearray()
        self._first: Transfer | None = None

    @override
    def opened(self) -> None:
        self._grant()

    @override
    def closed(self) -> None:
        self._first, self._parts = None, bytearray()

    @override
    def on_flow(self, flow: Flow) -> None:
        if flow.echo:
            self._grant()

    def on_transfer(
        self, transfer: Transfer, payload: bytes, fault: AmqpError | None = None
    ) -> None:
        """Take one frame of a delivery; *fault* refuses the delivery whatever it holds.

        Raises:
            LinkError: The peer broke the link's limits.

        """
        if self._first is None:
            if transfer.delivery_id is None or self._credit <= 0:
                raise LinkError(TRANSFER_LIMIT, "a delivery without an id or without credit")
            self._first = transfer
        if len(self._parts) <= MAX_MESSAGE_BYTES:  # a larger one is refused: its rest is not kept
            self._parts += payload
        if not transfer.more:
            self._complete(aborted=bool(transfer.aborted), fault=fault)

    def _complete(self, *, aborted: bool, fault: AmqpError | None) -> None:
        first, data = self._first, bytes(self._parts)
        self._first, self._parts = None, bytearray()
        if first is None or first.delivery_id is None:
            return
        self._count = (self._count + 1) & _SEQUENCE_MASK
        self._credit -= 1
        if not aborted:
            self._answer(first, data, fault)
        if self._credit < _CREDIT // 2:
            self._grant()

    def _answer(self, first: Transfer, data: bytes, fault: AmqpError | None) -> None:
        state = ACCEPTED
        try:
            _check_size(data)
            self.accept(first.message_format or 0, data, fault)
        except AmqpError as error:
            state = rejected(error)
        except DecodeError as error:
            state = rejected(AmqpError(DECODE_ERROR, str(error)))
        if not first.settled:
            self.link_io.settle_incoming(first.delivery_id or 0, state)

    @abstractmethod
    def accept(self, message_format: int, data: bytes, fault: AmqpError | None) -> None:
        """Take a whole delivery.

        Raises:
            AmqpError: It is refused.
            DecodeError: It is malformed.

        """

    def _grant(self) -> None:
        self._credit = _CREDIT
        self.link_io.send_flow(self.handle, self._count, self._credit)


def _check_size(data: bytes) -> None:
    if len(data) > MAX_MESSAGE_BYTES:
        sentence = f"a message is at most {MAX_MESSAGE_BYTES} bytes on this link"
        raise AmqpError(MESSAGE_TOO_LARGE, sentence)


class QueueInbound(InboundLink):
    """A client's sender on a queue."""

    def __init__(self, link_io: LinkIO, attach: Attach, address: str, queue: Queue) -> None:
        super().__init__(link_io, attach, address)
        self._queue = queue

    @override
    def accept(self, message_format: int, data: bytes, fault: AmqpError | None) -> None:
        if fault is not None:
            raise fault
        parts = split_batch(data) if message_format == BATCH_FORMAT else [data]
        self._queue.send([parse(part) for part in parts])


class RequestInbound(InboundLink):
    """A client's sender of requests; the reply leaves on the link from the same address."""

    def __init__(
        self,
        link_io: LinkIO,
        attach: Attach,
        address: str,
        names: PropertyNames,
        answer: Callable[[Request, AmqpError | None], Reply],
    ) -> None:
        super().__init__(link_io, attach, address)
        self._names = names
        self._answer_request = answer

    @override
    def accept(self, message_format: int, data: bytes, fault: AmqpError | None) -> None:
        request = read_request(data)
        reply = encode_reply(self._answer_request(request, fault), request, self._names)
        respond = self.link_io.replies.get(self.address)
        if respond is not None:
            self.link_io.after_commit(lambda: respond(reply))


class OutboundLink(Link):
    """A link the peer receives on: sends no more than the peer's credit."""

    def __init__(self, link_io: LinkIO, attach: Attach, address: str) -> None:
        super().__init__(link_io, attach, address)
        self.credit = 0
        self._count = 0
        self._draining = False

    @override
    def on_flow(self, flow: Flow) -> None:
        if flow.link_credit is not None:
            granted = (flow.delivery_count or 0) + flow.link_credit - self._count
            granted &= _SEQUENCE_MASK
            self.credit = granted if granted <= _SEQUENCE_MASK >> 1 else 0
        self._draining = bool(flow.drain)
        self.refill()
        if self._draining or flow.echo:
            self.link_io.after_commit(self._answer_flow)

    @abstractmethod
    def refill(self) -> None:
        """There may be credit to use."""

    def use_credit(self) -> None:
        self.credit -= 1
        self._count = (self._count + 1) & _SEQUENCE_MASK

    def _answer_flow(self) -> None:
        if self._draining:
            self._count = (self._count + self.credit) & _SEQUENCE_MASK
            self.credit = 0
        self.link_io.send_flow(self.handle, self._count, self.credit, drain=self._draining)
        self._draining = False


class ReplyOutbound(OutboundLink):
    """A client's receiver of replies. Replies wait for credit."""

    def __init__(self, link_io: LinkIO, attach: Attach, address: str) -> None:
        super().__init__(link_io, attach, address)
        self._waiting: list[bytes] = []

    @override
    def opened(self) -> None:
        self.link_io.replies[self.address] = self.reply

    @override
    def closed(self) -> None:
        self.link_io.replies.pop(self.address, None)

    def reply(self, message: bytes) -> None:
        self._waiting.append(message)
        self.refill()

    @override
    def refill(self) -> None:
        while self._waiting and self.credit > 0:
            self.use_credit()
            self.link_io.send_delivery(self.handle, uuid.uuid4().bytes, self._waiting.pop(0))


class QueueOutbound(OutboundLink):
    """A client's receiver on a queue.

    Args:
        locks: Whether the client settles (peek-lock); else a message is deleted when it is sent.

    """

    def __init__(
        self, link_io: LinkIO, attach: Attach, address: str, broker: Broker, queue: Queue
    ) -> None:
        super().__init__(link_io, attach, address)
        self.locks = attach.snd_settle_mode != 1
        self.queue: Final = queue
        self._broker = broker

    @override
    def opened(self) -> None:
        self._broker.attach(self.queue, self)

    @override
    def closed(self) -> None:
        self._broker.detach(self.queue, self)

    @override
    def refill(self) -> None:
        self._broker.wake(self.queue)

    def is_ready(self) -> bool:
        return self.credit > 0 and self.link_io.can_send()

    def reserve(self) -> None:
        self.use_credit()

    def deliver(self, delivery: Delivery) -> None:
        message = encode_delivery(delivery.content, delivery.marks)
        if delivery.token is None:
            self.link_io.send_delivery(self.handle, uuid.uuid4().bytes, message)
        else:
            self.link_io.send_delivery(self.handle, delivery.token.bytes_le, message, self.queue)
