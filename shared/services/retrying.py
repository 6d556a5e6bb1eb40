"""Changing what is stored, again and again until nobody else was quicker; up to a deadline."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from shared.domain.errors import UnavailableError
from shared.ports import VersionConflictError

_DEADLINE_S: Final = 8.0
_FIRST_S: Final = 0.01
_LONGEST_S: Final = 0.25


async def attempts(what: str) -> AsyncIterator[int]:
    """Count attempts, with a pause of random length before each but the first.

    A change is stored only on top of the version it was made from. So of many changes at once one
    is stored, and the others start again. With a fixed number of tries, a member who changed the
    conversation all the time would keep everybody else from changing it. The pauses are random and
    grow, so each change gets its chance.

    Raises:
        UnavailableError: Others have been changing *what* for eight seconds.
    """
    loop = asyncio.get_running_loop()
    deadline, pause_s, count = loop.time() + _DEADLINE_S, _FIRST_S, 0
    while count == 0 or loop.time() < deadline:
        yield count
        count += 1
        await asyncio.sleep(random.uniform(0, pause_s))  # noqa: S311  # jitter
        pause_s = min(_LONGEST_S, pause_s * 2)
    raise UnavailableError(f"{what} is being changed")


async def change_stored[T](
    what: str,
    *,
    load: Callable[[], Awaitable[T]],
    change: Callable[[T], Awaitable[T]],
    store: Callable[[T], Awaitable[T]],
) -> tuple[T, T]:
    """Read, change and store a value until no other change came between; return before and after.

    Args:
        what: The value's name, for the error.
        change: Returns the new value, or the very value it was given if nothing is to be stored.
            It is called once for each attempt.
        store: Stores the value on top of the version it was read from, and returns it as stored;
            raises VersionConflictError when that version is no longer the stored one.

    Raises:
        UnavailableError: Others have been changing the value for eight seconds.
    """
    async for _ in attempts(what):
        before = await load()
        after = await change(before)
        if after is before:
            return before, before
        with contextlib.suppress(VersionConflictError):
            return before, await store(after)
    raise AssertionError  # `attempts` ends by raising
