"""Receipts: acknowledged into live state, flushed to the store."""

from dataclasses import dataclass

from shared.composition.capabilities.basis import Basis
from shared.ports import Ports
from shared.services.clearing import Clearing
from shared.services.receipt_flush import ReceiptFlush
from shared.services.receipts import Receipts
from shared.services.renewals import Renewals


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptServices:
    """Receipts: acknowledged, and flushed to the store."""

    receipts: Receipts
    flush: ReceiptFlush


def build_receipts(ports: Ports, basis: Basis, clearing: Clearing) -> ReceiptServices:
    receipts = Receipts(
        admission=basis.admission, reader=basis.reader, live=ports.live, clock=ports.clock
    )
    flush = ReceiptFlush(
        reader=basis.reader,
        live=ports.live,
        store=ports.conversations,
        clearing=clearing,
        bus=ports.bus,
        renewals=Renewals(memberships=ports.memberships, store=ports.conversations),
    )
    return ReceiptServices(receipts=receipts, flush=flush)
