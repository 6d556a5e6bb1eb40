"""The faults of this service: which operation a fault strikes, and the ones that act at once.

| `operation` | struck once per | kinds |
|---|---|---|
| `rest` | REST call | `error`, `delay` |
| `deliver` | accepted message | `drop`, `duplicate`, `reorder`, `delay`, `error` |
| `upstream` | invocation sent upstream | `error` (not sent), `drop` (reply lost), `delay` |
| `connected`, `disconnected` | such an event | `drop` (never sent), `delay` |
| `client` | negotiate | `error`, `delay` |
| `client` | arming | `close` (asked to reconnect), `drop` (cut off) |
"""

from collections.abc import Callable, Mapping
from typing import override

from local.common.faults import KINDS, Fault, FaultBoard

OPERATIONS = ("rest", "deliver", "upstream", "connected", "disconnected", "client")
_USUAL = {"error": "rest", "delay": "rest", "close": "client"}
_AT_ONCE = {("client", "close"), ("client", "drop")}


class SignalRFaults(FaultBoard):
    """A fault board that fills in the usual operation of a kind.

    Args:
        on_strike_now: Called with a fault that acts on all open connections when it is armed.

    """

    def __init__(self, on_strike_now: Callable[[Fault], None]) -> None:
        super().__init__(kinds=(*KINDS, "duplicate", "reorder", "close"))
        self._on_strike_now = on_strike_now

    @override
    def arm(self, fields: Mapping[str, object]) -> Fault:
        kind = fields.get("kind")
        operation = fields.get("operation") or _USUAL.get(str(kind), "deliver")
        if operation not in OPERATIONS:
            raise ValueError(f"operation must be one of {', '.join(OPERATIONS)}")
        fault = super().arm({**fields, "operation": operation})
        if (operation, fault.kind) in _AT_ONCE:
            self.disarm(fault)
            self._on_strike_now(fault)
        return fault
