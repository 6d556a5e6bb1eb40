"""Trying a change again that others were quicker to make, until a deadline."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Final

from shared.domain.errors import UnavailableError

_DEADLINE_S: Final = 8.0
_FIRST_S: Final = 0.01
_LONGEST_S: Final = 0.25


async def attempts(what: str) -> AsyncIterator[int]:
    """Count attempts, with a pause of random length before each but the first.

    A change is stored only on top of the version it was made from, so of many at once one is stored
    and the others begin again. A fixed number of tries let a member who changed the conversation
    all the time keep everybody else from changing it. The pauses are random and grow, so each
    change gets its chance.

    Raises:
        UnavailableError: *what* has been changed by others for eight seconds.
    """
    loop = asyncio.get_running_loop()
    deadline, pause_s, count = loop.time() + _DEADLINE_S, _FIRST_S, 0
    while count == 0 or loop.time() < deadline:
        yield count
        count += 1
        await asyncio.sleep(random.uniform(0, pause_s))  # noqa: S311  # jitter
        pause_s = min(_LONGEST_S, pause_s * 2)
    raise UnavailableError(f"{what} is being changed")
