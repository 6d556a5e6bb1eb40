"""The link between the chat and a twin: where calls wait, fail, and lose their replies."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from shared.domain.errors import UnavailableError

type When = Literal["before", "after"]


async def _yield_once(_name: str) -> None:
    await asyncio.sleep(0)


@dataclass(slots=True)
class _Fault:
    name: str
    when: When
    count: int


class FaultyLink:
    """Carries the calls to one twin.

    Args:
        pause: Awaited with the call's name before and after each call. By default other tasks get
            a turn there; a test that chooses who goes next hands in its own.
    """

    def __init__(self, pause: Callable[[str], Awaitable[None]] = _yield_once) -> None:
        self.pause = pause
        self.down = False
        self.calls: Counter[str] = Counter()
        self._faults: list[_Fault] = []

    def fail(self, name: str = "*", *, when: When = "before", count: int = 1) -> None:
        """Make the next *count* calls of *name* (`*`: of any name) raise UnavailableError.

        Args:
            when: `before` the call takes effect, or `after` it, so that only its reply is lost.
        """
        self._faults.append(_Fault(name, when, count))

    def clear(self) -> None:
        """Take back `down` and all faults."""
        self.down = False
        self._faults.clear()

    @asynccontextmanager
    async def call(self, name: str) -> AsyncIterator[None]:
        """Carry one call, whose effect is the body of the `async with`.

        Raises:
            UnavailableError: The link is down or a fault is armed.
        """
        self.calls[name] += 1
        await self.pause(name)
        if self.down:
            raise UnavailableError("the twin is down")
        self._strike(name, "before")
        yield
        self._strike(name, "after")
        await self.pause(name)

    def _strike(self, name: str, when: When) -> None:
        for fault in self._faults:
            if fault.when == when and fault.name in {"*", name}:
                fault.count -= 1
                if not fault.count:
                    self._faults.remove(fault)
                raise UnavailableError(f"the twin failed {when} {name}")


class Replica:
    """What one session sees of logs that others append to: its own writes at once, others' late.

    Reads are monotonic, as session consistency promises: what was seen once stays seen, and
    whoever sees an entry sees all before it.
    """

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        self._hidden = 0
        self._reads = 0

    def lag(self, hidden: int, *, reads: int) -> None:
        """Hide the newest *hidden* entries of every log from the next *reads* reads."""
        self._hidden, self._reads = hidden, reads

    def view[T](self, key: str, log: list[T]) -> list[T]:
        """Return what a read of *log* shows now."""
        hidden = self._hidden if self._reads else 0
        self._reads = max(0, self._reads - 1)
        shown = max(self._seen.get(key, 0), len(log) - hidden)
        self._seen[key] = shown
        return log[:shown]

    def wrote[T](self, key: str, log: list[T]) -> None:
        """Remember that this session wrote the newest entry of *log*."""
        self._seen[key] = len(log)
