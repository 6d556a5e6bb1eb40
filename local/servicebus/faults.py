"""The faults this stand-in can show, beside errors, delays and drops.

`duplicate` confirms a settlement and hands the message out again all the same, as a service does
that failed over before it stored the settlement; `lock-lost` refuses a settlement because the lock
is gone, as after a pause that was too long. Both hit settlements only.

The operations a fault may name: `send`, `receive`, `settle`, `manage`.
"""

from collections.abc import Mapping
from typing import override

from local.common.faults import KINDS, Fault, FaultBoard, FaultKind

_OF_SETTLEMENTS: tuple[FaultKind, ...] = ("duplicate", "lock-lost")


class Faults(FaultBoard):
    def __init__(self) -> None:
        super().__init__(kinds=(*KINDS, *_OF_SETTLEMENTS))

    @override
    def arm(self, fields: Mapping[str, object]) -> Fault:
        fault = super().arm(fields)
        if fault.kind in _OF_SETTLEMENTS:
            fault.operation = "settle"
        return fault
