"""The fault knobs of a stand-in: errors, delays and drops, by probability and count.

A stand-in asks `strike` once per operation it is about to carry out. A delay has then already
been waited for; an error or a drop is returned, for the stand-in to carry out in its own
protocol's terms.
"""

import asyncio
import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

FaultKind = Literal["error", "delay", "drop"]
KINDS: tuple[FaultKind, ...] = ("error", "delay", "drop")


@dataclass(slots=True)
class Fault:
    """One armed fault.

    Args:
        probability: Share of operations it hits, 0 to 1.
        status: The status an error answers with; None leaves the choice to the stand-in.
        ms: Milliseconds a delay takes.
        remaining: Operations it will still hit; None means no end.

    """

    id: str
    kind: FaultKind
    probability: float = 1.0
    status: int | None = None
    ms: int = 0
    remaining: int | None = None


class FaultBoard:
    """The faults armed in one stand-in."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self._faults: dict[str, Fault] = {}
        self._numbers = itertools.count(1)
        self._chance = chance or random.Random()  # noqa: S311

    def arm(self, asked: Mapping[str, object]) -> Fault:
        """Arm the fault that *asked* describes, as `POST /dev/faults` takes it.

        Raises:
            ValueError: A field is missing, unknown in kind, or outside its range.

        """
        fault = Fault(
            id=f"fault-{next(self._numbers)}",
            kind=_kind(asked.get("kind")),
            probability=float(_number(asked, "probability", 1.0, 0, 1)),
            status=_optional_int(asked, "status", 400, 599),
            ms=int(_number(asked, "ms", 0, 0, 600_000)),
            remaining=_optional_int(asked, "count", 1, 1_000_000),
        )
        self._faults[fault.id] = fault
        return fault

    def clear(self) -> None:
        self._faults.clear()

    def __bool__(self) -> bool:
        return bool(self._faults)

    async def strike(self) -> Fault | None:
        """Wait out any delay that hits this operation; return the error or drop that does."""
        for fault in list(self._faults.values()):
            if not self._hits(fault):
                continue
            if fault.kind != "delay":
                return fault
            await asyncio.sleep(fault.ms / 1000)
        return None

    def _hits(self, fault: Fault) -> bool:
        if fault.probability < 1 and self._chance.random() >= fault.probability:
            return False
        if fault.remaining is not None:
            fault.remaining -= 1
            if fault.remaining <= 0:
                self._faults.pop(fault.id, None)
        return True


def _kind(value: object) -> FaultKind:
    for kind in KINDS:
        if value == kind:
            return kind
    sentence = f"kind must be one of {', '.join(KINDS)}"
    raise ValueError(sentence)


def _number(
    asked: Mapping[str, object], name: str, default: float, low: float, high: float
) -> float:
    value = asked.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        sentence = f"{name} must be a number from {low} to {high}"
        raise ValueError(sentence)
    return value


def _optional_int(asked: Mapping[str, object], name: str, low: int, high: int) -> int | None:
    if asked.get(name) is None:
        return None
    return int(_number(asked, name, low, low, high))
