"""What the numbers should be: from the issues, printed beside what was seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    seen: float
    target: str
    met: bool

    @property
    def mark(self) -> str:
        return "ok  " if self.met else "MISS"


# workload, path to the number, what it is called, lowest and highest that meet the target
_TARGETS: list[tuple[str, tuple[str, ...], str, float | None, float | None]] = [
    ("pairs", ("messagesPerSecond",), "W1 acknowledged messages/s", 150, None),
    ("pairs", ("sendToDeliveredMs", "p99"), "W1 p99 send to delivered, ms", None, 400),
    ("alone", ("sendToDeliveredMs", "p50"), "one sender, p50 send to delivered, ms", None, 30),
    ("alone", ("perSendWithoutReceipts", "cosmosRequests"), "Cosmos requests a send", None, 1.05),
    ("alone", ("perSendWithoutReceipts", "redisRoundTrips"), "Redis round trips a send", None, 2.2),
    ("alone", ("perSendWithoutReceipts", "signalrRestCalls"), "REST calls a send", None, 1.05),
    ("indexing", ("ratio",), "indexing, times azure.functions alone", None, 1.3),
    ("start", ("secondStartSeconds",), "second start, s", None, 10),
    ("start", ("idleMB",), "idle stack, MB", None, 800),
    ("group", ("messagesPerSecond",), "W2 messages/s to 100 members", 40, None),
    ("group", ("perMessage", "cosmosRequests"), "W2 Cosmos requests a send", None, 1.1),
    ("group", ("perMessage", "redisRoundTrips"), "W2 Redis round trips a send", None, 2.3),
    ("group", ("perMessage", "signalrRestCalls"), "W2 REST calls a send", None, 1.1),
    ("history", ("messagesPerSecond",), "W3 messages/s read back", 4000, None),
    ("workerKilled", ("longestSilenceMs",), "worker killed, longest silence, ms", None, 3000),
    ("redisEmptied", ("lost",), "Redis emptied every 20 s, lost", None, 0),
    ("redisEmptied", ("doubled",), "Redis emptied every 20 s, doubled", None, 0),
    ("redisEmptied", ("gaps",), "Redis emptied every 20 s, gaps", None, 0),
    ("reconnect", ("filledMs",), "200 clients back and filled, ms", None, 15000),
]


def judged(results: Mapping[str, Any]) -> list[Row]:
    """Return a row for each target whose workload was run."""
    rows = [
        _row(name, _number(results[workload], path), low, high)
        for workload, path, name, low, high in _TARGETS
        if workload in results
    ]
    if "history" in results:
        rows += _inbox_rows(results["history"]["inbox"])
    if "growth" in results:
        rows += _growth_rows(results["growth"])
    return rows


def _growth_rows(growth: Mapping[str, Any]) -> list[Row]:
    few, many = (growth[count]["syncNothingNew"] for count in ("20", "5000"))
    ratio = many["redisCommands"] / max(1.0, few["redisCommands"])
    requests = many["cosmosRequests"]
    return [
        _row("sync of 5,000 against 20, redisCommands", round(ratio, 2), None, 1.5),
        _row("sync of 5,000 with nothing new, cosmosRequests", requests, None, 0.5),
    ]


def _inbox_rows(inbox: Mapping[str, Any]) -> list[Row]:
    few, many = inbox["few"], inbox["many"]
    rows = []
    for name in ("cosmosRequests", "requestUnits", "redisRoundTrips"):
        # Nothing at all is the best there is: then many must cost nothing either.
        ratio = many[name] / few[name] if few[name] else float(many[name] > 0) * 99
        rows.append(_row(f"inbox of 1,000 against 10, {name}", round(ratio, 2), None, 1.5))
    return rows


def _row(name: str, seen: float, low: float | None, high: float | None) -> Row:
    met = (low is None or seen >= low) and (high is None or seen <= high)
    target = f"at least {low:g}" if low is not None else f"at most {high:g}"
    return Row(name, seen, target, met)


def _number(of: Mapping[str, Any], path: tuple[str, ...]) -> float:
    value: Any = of
    for name in path:
        value = value[name]
    return float(value)
