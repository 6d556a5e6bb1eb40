"""What was asked of the account, and what it would have cost."""

from collections import Counter

OPERATIONS = (
    "Create",
    "Upsert",
    "Read",
    "Replace",
    "Patch",
    "Delete",
    "Batch",
    "Query",
    "ReadFeed",
    "ChangeFeed",
)
_TRIGGER_AGENT = "functions-host"


class Meter:
    """Counters since the process started.

    Operations on items are counted, refused ones too; reads of the account, of containers and of
    ranges, which the SDK makes on its own and which cost nothing, are `metadataRequests`.
    """

    def __init__(self) -> None:
        self._app = self._trigger = self._metadata = 0
        self._app_units = self._trigger_units = 0.0
        self._operations: Counter[str] = Counter(dict.fromkeys(OPERATIONS, 0))

    def count(self, operation: str, charge: float, agent: str) -> None:
        """Count one operation; the Functions host's change feed trigger is told by its *agent*."""
        if _TRIGGER_AGENT in agent:
            self._trigger += 1
            self._trigger_units += charge
            return
        self._app += 1
        self._app_units += charge
        self._operations[operation] += 1

    def count_metadata(self) -> None:
        self._metadata += 1

    def shown(self) -> dict[str, object]:
        return {
            "requests": self._app,
            "requestUnits": round(self._app_units, 2),
            "triggerRequests": self._trigger,
            "triggerRequestUnits": round(self._trigger_units, 2),
            "metadataRequests": self._metadata,
            "operations": dict(self._operations),
        }
