"""Whether the services behind the chat answer."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.domain.errors import UnavailableError
from shared.ports import Probe

logger = logging.getLogger(__name__)

_TIMEOUT_S: Final = 5.0
# Without these no message can be stored or reach anyone; without the others chat goes on, poorer.
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


async def check_health(probes: Mapping[str, Probe]) -> Health:
    """Ask every service at once, each for at most five seconds."""
    states = await asyncio.gather(*(_state(name, probe) for name, probe in probes.items()))
    return Health(dict(zip(probes, states, strict=True)))


async def _state(name: str, probe: Probe) -> str:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            await probe.check()
    except (UnavailableError, TimeoutError):
        logger.warning("health: %s does not answer", name)
        return "unavailable"
    return "ok"
