"""One AMQP session: its links, and the frames that come in for them.

Source: AMQP 1.0 part 2 (transport), sections 2.5 and 2.6.
"""

from typing import Final

from local.common.faults import Fault
from local.servicebus.amqp.performatives import (
    Attach,
    Begin,
    Detach,
    Disposition,
    End,
    Flow,
    Performative,
    Transfer,
)
from local.servicebus.amqp.types import Described, UByte, UInt, ULong, UShort
from local.servicebus.attach import AttachContext, check_access, open_link, terminus_address
from local.servicebus.delivery import Outcome
from local.servicebus.errors import (
    HANDLE_IN_USE,
    NOT_ALLOWED,
    RESOURCE_LIMIT,
    UNATTACHED_HANDLE,
    AmqpError,
    LinkError,
    LockLostError,
    SessionError,
    injected,
)
from local.servicebus.links import (
    MAX_MESSAGE_BYTES,
    InboundLink,
    Link,
    OutboundLink,
    QueueInbound,
    QueueOutbound,
    RequestInbound,
)
from local.servicebus.outgoing import WINDOW, Outgoing, Transport
from local.servicebus.settlement import Settlement, read_settlement, rejected

HANDLE_MAX = 255
_SOURCE, _TARGET = ULong(0x28), ULong(0x29)


class Session:
    """The state of one session. Frames come in through `handle`."""

    def __init__(
        self, transport: Transport, channel: int, begin: Begin, context: AttachContext
    ) -> None:
        self._channel: Final = channel
        self._context = context
        self._links: dict[int, Link] = {}
        self._out = Outgoing(transport, channel, begin, context.broker.store)

    def opened(self) -> None:
        """Answer the peer's begin."""
        self._out.send(
            Begin(
                remote_channel=UShort(self._channel),
                next_outgoing_id=UInt(0),
                incoming_window=UInt(WINDOW),
                outgoing_window=UInt(WINDOW),
                handle_max=UInt(HANDLE_MAX),
            )
        )

    def closed(self, error: SessionError | None = None, *, answer: bool = True) -> None:
        """End the session and its links."""
        for link in self._links.values():
            link.closed()
        self._links.clear()
        if answer:
            self._out.send(End(error.encoded() if error is not None else None))
        self._out.close()

    def check_access(self) -> None:
        """End the links whose token has expired."""
        for handle, link in list(self._links.items()):
            try:
                check_access(link.address, self._context)
            except LinkError as error:
                self._detach(handle, error)

    def operation_of(self, performative: Performative) -> str | None:
        """Return what *performative* asks for as a fault may name it, if it asks for anything."""
        match performative:
            case Transfer(handle=handle, more=more) if not more:
                return _OPERATIONS.get(type(self._links.get(handle)))
            case Flow(handle=int(handle), link_credit=int(credit)) if credit > 0:
                return "receive" if isinstance(self._links.get(handle), QueueOutbound) else None
            case Disposition(role=True):
                return "settle"
        return None

    def handle(self, performative: Performative, payload: bytes, fault: Fault | None) -> None:
        """Carry out a frame, or make it fail as *fault* says.

        Raises:
            SessionError: The peer broke the session.

        """
        match performative:
            case Transfer():
                self._on_transfer(performative, payload, fault)
            case Disposition():
                self._on_disposition(performative, fault)
            case Flow():
                self._on_flow(performative, fault)
            case Attach():
                self._on_attach(performative)
            case Detach():
                self._on_detach(performative)
            case _:
                raise SessionError(NOT_ALLOWED, "the frame does not belong in a session")

    def _on_attach(self, attach: Attach) -> None:
        if attach.handle in self._links:
            raise SessionError(HANDLE_IN_USE, f"handle {attach.handle} is attached already")
        if attach.handle > HANDLE_MAX:
            raise SessionError(RESOURCE_LIMIT, f"handles go up to {HANDLE_MAX}")
        try:
            link = open_link(self._out, attach, self._context)
        except LinkError as error:
            self._answer_attach(attach, refused=True)
            self._send_detach(attach.handle, error)
            return
        self._links[attach.handle] = link
        self._answer_attach(attach)
        link.opened()

    def _answer_attach(self, attach: Attach, *, refused: bool = False) -> None:
        source = Described(_SOURCE, [terminus_address(attach.source)])
        target = Described(_TARGET, [terminus_address(attach.target)])
        self._out.send(
            Attach(
                name=attach.name,
                handle=UInt(attach.handle),
                role=not attach.role,
                snd_settle_mode=UByte(min(attach.snd_settle_mode or 0, 2)),
                rcv_settle_mode=UByte(min(attach.rcv_settle_mode or 0, 1)),
                # A terminus that is not there is how a refusal is announced (section 2.6.3).
                source=None if refused and attach.role else source,
                target=None if refused and not attach.role else target,
                initial_delivery_count=UInt(0) if attach.role else None,
                max_message_size=ULong(MAX_MESSAGE_BYTES),
            )
        )

    def _on_detach(self, detach: Detach) -> None:
        if self._drop(detach.handle):
            self._out.send(Detach(UInt(detach.handle), closed=bool(detach.closed)))

    def _on_flow(self, flow: Flow, fault: Fault | None) -> None:
        self._out.on_flow(flow)
        if flow.handle is None:
            if flow.echo:
                self._out.send_session_flow()
            self.refill()
            return
        link = self._links.get(flow.handle)
        if link is not None and fault is not None:
            self._detach(flow.handle, injected(fault.status))
        elif link is not None:
            link.on_flow(flow)

    def refill(self) -> None:
        for link in self._links.values():
            if isinstance(link, OutboundLink):
                link.refill()

    def _on_transfer(self, transfer: Transfer, payload: bytes, fault: Fault | None) -> None:
        self._out.count_incoming_transfer()
        link = self._links.get(transfer.handle)
        if link is None:
            return  # the link was detached while this was under way
        if not isinstance(link, InboundLink):
            raise SessionError(UNATTACHED_HANDLE, "the link does not take messages")
        try:
            link.on_transfer(transfer, payload, injected(fault.status) if fault else None)
        except LinkError as error:
            self._detach(transfer.handle, error)

    def _on_disposition(self, disposition: Disposition, fault: Fault | None) -> None:
        if not disposition.role:
            return  # nothing a receiver says as a sender is waited for
        first = disposition.first
        last = first if disposition.last is None else disposition.last
        unsettled = self._out.unsettled
        ids = (
            [first]
            if first == last
            else [number for number in unsettled if first <= number <= last]
        )
        for delivery_id in ids:
            try:
                verdict = read_settlement(disposition.state)
                if verdict is None:
                    return
                self._settle(delivery_id, verdict, fault)
                echo = verdict.echo
            except AmqpError as error:
                echo = rejected(error)
            if not disposition.settled:
                self._out.settle_outgoing(delivery_id, echo)

    def _settle(self, delivery_id: int, verdict: Settlement, fault: Fault | None) -> None:
        if fault is not None and fault.kind == "error":
            raise injected(fault.status)
        delivery = self._out.unsettled.pop(delivery_id, None)
        if delivery is None:
            raise LockLostError
        if fault is None:
            delivery.queue.settle(delivery.token, verdict.outcome, verdict.reason)
            return
        delivery.queue.settle(delivery.token, Outcome.ABANDON)
        if fault.kind == "lock-lost":
            raise LockLostError

    def _detach(self, handle: int, error: AmqpError) -> None:
        self._drop(handle)
        self._send_detach(handle, error)

    def _send_detach(self, handle: int, error: AmqpError) -> None:
        self._out.send(Detach(UInt(handle), closed=True, error=error.encoded()))

    def _drop(self, handle: int) -> bool:
        link = self._links.pop(handle, None)
        if link is None:
            return False
        link.closed()
        self._out.forget(handle)
        return True


_OPERATIONS: dict[type, str] = {QueueInbound: "send", RequestInbound: "manage"}
