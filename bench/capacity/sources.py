"""What the model is fed: inputs, prices, offers, and what the benchmark measured."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

HERE: Final = Path(__file__).parent
LATEST: Final = HERE.parent / "results" / "latest.json"

type Json = dict[str, Any]

_MEASURES: Final = (
    "requestUnits",
    "redisRoundTrips",
    "redisCommands",
    "signalrRestCalls",
    "signalrUpstreamCalls",
)


class NotMeasuredError(Exception):
    """The benchmark's results are missing, or lack what the model needs."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """How the chat is used, and what is assumed of the services; each value with its reason."""

    values: Json

    @classmethod
    def load(cls, path: Path = HERE / "inputs.json") -> Self:
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def __getitem__(self, name: str) -> float:
        return float(self.values[name]["value"])

    def request_units(self, name: str) -> float:
        """Return the assumed request units of one *name*, for what is not measured."""
        return float(self.values["requestUnits"]["value"][name])

    def with_value(self, name: str, value: float) -> "Inputs":
        changed = {**self.values[name], "value": value}
        return Inputs({**self.values, name: changed})


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars, each with its source, date and how far it can be trusted."""

    values: Json

    @classmethod
    def load(cls, path: Path = HERE / "prices.json") -> Self:
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def __getitem__(self, name: str) -> float:
        return float(self.values[name]["usd"])


@dataclass(frozen=True, slots=True)
class RedisOffer:
    name: str
    memoryGb: float  # noqa: N815  # as in offers.json
    vcpus: int
    connections: int
    usdMonth: float  # noqa: N815


@dataclass(frozen=True, slots=True)
class Offers:
    """What can be bought."""

    redis: tuple[RedisOffer, ...]
    signalr_units: tuple[int, ...]
    sources: tuple[str, str]

    @classmethod
    def load(cls, path: Path = HERE / "offers.json") -> Self:
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            tuple(RedisOffer(**one) for one in found["redis"]),
            tuple(found["signalrUnits"]),
            (found["redisSource"], found["signalrSource"]),
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """Costs of operations, counted on the local stack by `make bench`.

    Args:
        source: Which results these are, for people.
        direct: Per message of a pair, receipts on.
        group: Per message of a group of 100.
        worker_ms: Processor time of the app for one message of a pair and its receipt.
        inbox_request_units: Of one inbox page, None when it was not measured.
    """

    source: str
    measured_at: str
    direct: dict[str, float]
    group: dict[str, float]
    worker_ms: float
    inbox_request_units: float | None

    @classmethod
    def load(cls, path: Path = LATEST) -> Self:
        """Read the benchmark's results.

        Raises:
            NotMeasuredError: There are none, or they lack a workload or a count.
        """
        if not path.is_file():
            raise NotMeasuredError(f"{path} is not there: run `make bench` first.")
        found: Json = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            source="bench/results/latest.json" if path == LATEST else path.name,
            measured_at=str(found.get("measuredAt", "unknown")),
            direct=_counts(found, "pairs", path),
            group=_counts(found, "group", path),
            worker_ms=_worker_ms(found, path),
            inbox_request_units=_optional(found, "history", "inbox", "few", "requestUnits"),
        )


def _counts(found: Json, workload: str, path: Path) -> dict[str, float]:
    counts = found.get(workload, {}).get("perMessage", {})
    missing = [name for name in _MEASURES if not isinstance(counts.get(name), int | float)]
    if missing:
        raise NotMeasuredError(
            f"{path} has no {workload}.perMessage.{missing[0]}: run `make bench` to its end."
        )
    return {name: float(value) for name, value in counts.items()}


def _worker_ms(found: Json, path: Path) -> float:
    used = found["pairs"].get("cpuSecondsPer1000", {})
    workers = [float(value) for name, value in used.items() if name.startswith("worker-")]
    if not workers:
        raise NotMeasuredError(f"{path} has no pairs.cpuSecondsPer1000 of a worker.")
    return sum(workers)  # seconds for 1,000 are milliseconds for one


def _optional(found: Json, *names: str) -> float | None:
    value: Any = found
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return float(value) if isinstance(value, int | float) else None
