"""A sign of life from a service that is slow to ask."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final, override

from shared.domain.errors import UnavailableError
from shared.ports import Probe

_TIMEOUT_S: Final = 15.0
_COUNTS_S: Final = 5.0


class LastingProbe(Probe):
    """Asks a service by *ask*, which may take longer than the caller of `check` can wait.

    Opening a link takes half a second, and longer on a busy machine, while `health` gives up after
    a second and a half. So an attempt goes on when its caller is cancelled, for 15 s at most, and
    the next caller waits for the same attempt. There is never more than one attempt, and a service
    that is only slow is found alive in the end. An answer counts for five seconds, so that polls of
    `health` cost the service one attempt in this time.

    Args:
        ask: Returns once the service has answered; raises UnavailableError where it refused.
        now: Seconds of a steady clock.
    """

    def __init__(
        self, ask: Callable[[], Awaitable[None]], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._now = now
        self._attempt: asyncio.Task[bool] | None = None
        self._answered_at = -math.inf

    @override
    async def check(self) -> None:
        """Ask for an answer, unless one came within the last five seconds.

        Raises:
            UnavailableError: It was refused, or none came within 15 s.
        """
        if self._now() - self._answered_at < _COUNTS_S:
            return
        if self._attempt is None or self._attempt.done():
            self._attempt = asyncio.create_task(self._is_answered(), name="probe")
        if not await asyncio.shield(self._attempt):
            raise UnavailableError("the service did not answer")

    async def aclose(self) -> None:
        """End the attempt that is under way; its callers are cancelled."""
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.wait([self._attempt])

    async def _is_answered(self) -> bool:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await self._ask()
        except (UnavailableError, TimeoutError):
            return False
        self._answered_at = self._now()
        return True
