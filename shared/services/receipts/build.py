"""Receipts: acknowledged into live state, flushed to the store."""

from dataclasses import dataclass

from shared.ports import Ports
from shared.services.admission.build import Basis
from shared.services.notifications.dismissal import NotificationDismissal
from shared.services.receipts.flush import ReceiptFlush
from shared.services.receipts.receipts import Receipts
from shared.services.receipts.renewals import Renewals


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptServices:
    """Receipts: acknowledged, and flushed to the store."""

    receipts: Receipts
    flush: ReceiptFlush


def build_receipts(ports: Ports, basis: Basis, dismissal: NotificationDismissal) -> ReceiptServices:
    receipts = Receipts(
        admission=basis.admission, reader=basis.reader, live=ports.live, clock=ports.clock
    )
    flush = ReceiptFlush(
        reader=basis.reader,
        live=ports.live,
        store=ports.conversations,
        dismissal=dismissal,
        bus=ports.bus,
        renewals=Renewals(memberships=ports.memberships, store=ports.conversations),
    )
    return ReceiptServices(receipts=receipts, flush=flush)
