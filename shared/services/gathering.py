"""Waiting for many calls with a limit on how many are under way at once."""

import asyncio
from collections.abc import Awaitable, Iterable


async def gather_at_most[T](most: int, calls: Iterable[Awaitable[T]]) -> list[T]:
    """Return what *calls* return, in their order, with at most *most* of them under way at once.

    A failure is raised once all calls have ended, so that none goes on behind the caller's back.

    Args:
        calls: Coroutines that have not been started.
    """
    slots = asyncio.Semaphore(most)

    async def limited(call: Awaitable[T]) -> T:
        async with slots:
            return await call

    done = await asyncio.gather(*map(limited, calls), return_exceptions=True)
    results: list[T] = []
    for result in done:
        if isinstance(result, BaseException):
            raise result
        results.append(result)
    return results
