"""The faults a stand-in shows on request: errors, delays and drops, by probability and count.

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

FaultKind = Literal["error", "delay", "drop", "duplicate", "reorder", "close", "lock-lost"]
KINDS: tuple[FaultKind, ...] = ("error", "delay", "drop")

FaultMoment = Literal["before", "after"]


@dataclass(slots=True)
class Fault:
    """One armed fault.

    Args:
        probability: Share of operations it hits, 0 to 1.
        status: The status an error answers with; None leaves the choice to the stand-in.
        ms: Milliseconds a delay takes.
        remaining: Operations it will still hit; None means no end.
        operation: The stand-in's name for the operations it hits; None means all.
        when: Whether it hits before the operation, or after it was carried out: a lost reply.

    """

    id: str
    kind: FaultKind
    probability: float = 1.0
    status: int | None = None
    ms: int = 0
    remaining: int | None = None
    operation: str | None = None
    when: FaultMoment = "before"


class FaultBoard:
    """The faults armed in one stand-in, which knows how to carry out *kinds* at *moments*."""

    def __init__(
        self,
        chance: random.Random | None = None,
        kinds: tuple[FaultKind, ...] = KINDS,
        moments: tuple[FaultMoment, ...] = ("before",),
    ) -> None:
        self._kinds = kinds
        self._moments = moments
        self._faults: dict[str, Fault] = {}
        self._numbers = itertools.count(1)
        self._chance = chance or random.Random()  # noqa: S311

    def arm(self, fields: Mapping[str, object]) -> Fault:
        """Arm the fault that *fields* describes, as `POST /dev/faults` takes it.

        Raises:
            ValueError: A field is missing, unknown in kind, or outside its range.

        """
        fault = Fault(
            id=f"fault-{next(self._numbers)}",
            kind=_kind(fields.get("kind"), self._kinds),
            probability=float(_number(fields, "probability", 1.0, 0, 1)),
            status=_optional_int(fields, "status", 400, 599),
            ms=int(_number(fields, "ms", 0, 0, 600_000)),
            remaining=_optional_int(fields, "count", 1, 1_000_000),
            operation=_optional_text(fields, "operation"),
            when=_moment(fields.get("when", "before"), self._moments),
        )
        self._faults[fault.id] = fault
        return fault

    def disarm(self, fault: Fault) -> None:
        self._faults.pop(fault.id, None)

    def clear(self) -> None:
        self._faults.clear()

    def __bool__(self) -> bool:
        return bool(self._faults)

    @property
    def drops_everything(self) -> bool:
        """Whether a drop is armed that no operation escapes."""
        return any(
            fault.kind == "drop" and fault.probability >= 1 and fault.remaining is None
            for fault in self._faults.values()
        )

    async def strike(
        self, operation: str | None = None, when: FaultMoment = "before"
    ) -> Fault | None:
        """Wait out any delay that hits this operation; return the fault of another kind that does.

        A fault armed for one operation hits only strikes that name it.
        """
        for fault in list(self._faults.values()):
            if fault.when != when or fault.operation not in {None, operation}:
                continue
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


def _kind(value: object, kinds: tuple[FaultKind, ...]) -> FaultKind:
    for kind in kinds:
        if value == kind:
            return kind
    sentence = f"kind must be one of {', '.join(kinds)}"
    raise ValueError(sentence)


def _moment(value: object, moments: tuple[FaultMoment, ...]) -> FaultMoment:
    for moment in moments:
        if value == moment:
            return moment
    sentence = f"when must be one of {', '.join(moments)}"
    raise ValueError(sentence)


def _number(
    fields: Mapping[str, object], name: str, default: float, low: float, high: float
) -> float:
    value = fields.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        sentence = f"{name} must be a number from {low} to {high}"
        raise ValueError(sentence)
    return value


def _optional_int(fields: Mapping[str, object], name: str, low: int, high: int) -> int | None:
    if fields.get(name) is None:
        return None
    return int(_number(fields, name, low, low, high))


def _optional_text(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return value
    sentence = f"{name} must be a string"
    raise ValueError(sentence)
