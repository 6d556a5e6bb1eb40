"""Whether the services behind the chat answer."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from shared.domain.errors import UnavailableError
from shared.ports import Probe

logger = logging.getLogger(__name__)

_PATIENCE_S: Final = 1.5  # for all services at once, so that health answers within two seconds
_FRESH_S: Final = 1.0
# Without these, no message can be stored or reach anyone. Without the others, chat goes on.
_ESSENTIAL: Final = frozenset({"cosmos", "signalr"})


@dataclass(frozen=True, slots=True)
class Health:
    """Each service's state: `ok` or `unavailable`."""

    checks: dict[str, str]

    @property
    def status(self) -> str:
        down = {name for name, state in self.checks.items() if state != "ok"}
        if not down:
            return "ok"
        return "unavailable" if down & _ESSENTIAL else "degraded"


class HealthCheck:
    """Asks the services for a sign of life, at most once a second, however many callers ask.

    `health` needs no token, so many calls of it must cost nothing. Callers who come while the
    services are asked wait for that answer, and callers within a second of it get it again.

    A service that does not answer in time counts as unavailable. Its check is cancelled and not
    waited for, because a client that hangs may hang in its clean-up too. Until that check has
    ended, no other check of the same service is started, so at most one hangs at a time.

    Args:
        now: Seconds of a steady clock.
    """

    def __init__(
        self, probes: Mapping[str, Probe], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._probes = probes
        self._now = now
        self._running: dict[str, asyncio.Task[None]] = {}
        self._asking: asyncio.Task[Health] | None = None
        self._fresh_until = 0.0

    async def __call__(self) -> Health:
        """Return the state of the services within two seconds, as of the last second."""
        if self._asking is None or (self._asking.done() and self._now() >= self._fresh_until):
            self._asking = asyncio.create_task(self._ask())
        # Shielded: a caller who is cancelled must not cancel the answer to the others.
        return await asyncio.shield(self._asking)

    async def aclose(self) -> None:
        """End the checks that are under way."""
        tasks = [*self._running.values(), *([self._asking] if self._asking else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self) -> Health:
        for name, probe in self._probes.items():
            if name not in self._running or self._running[name].done():
                self._running[name] = asyncio.create_task(_checked(probe), name=f"health {name}")
        checks = dict(self._running)
        if checks:
            await asyncio.wait(checks.values(), timeout=_PATIENCE_S)
        states = {name: _state(name, check) for name, check in checks.items()}
        self._fresh_until = self._now() + _FRESH_S
        return Health(states)


async def _checked(probe: Probe) -> None:
    await probe.check()


def _state(name: str, check: asyncio.Task[None]) -> str:
    if not check.done():
        check.cancel()
        logger.warning("health: %s did not answer in time", name)
        return "unavailable"
    if check.cancelled():
        return "unavailable"
    error = check.exception()
    if error is None:
        return "ok"
    if not isinstance(error, UnavailableError | TimeoutError):
        raise error
    logger.warning("health: %s does not answer", name)
    return "unavailable"
