"""Who was removed gets nothing more, by whichever worker and whatever becomes of Redis.

Each worker keeps copies of conversations, and Redis says which of them are old. These tests take
that knowledge from Redis at the worst moment, right after the removal was answered, and then ask
every worker at once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import chain

import pytest

from tests.integration.app.people import Person, World
from tests.reliability.stack_probe import put_back, redis, remembered
from tests.reliability.test_degrading import down
from tests.stack import Reply

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(300)]

_ROUNDS = 4
_CALLS = 8  # at once, so that every worker has some

type Strike = Callable[[], Awaitable[None]]
type Hazard = Callable[[World], AbstractAsyncContextManager[Strike]]


@asynccontextmanager
async def emptied(world: World) -> AsyncIterator[Strike]:
    async def strike() -> None:
        async with redis(world.stack) as client:
            await client.flushall()

    yield strike


@asynccontextmanager
async def gone(world: World) -> AsyncIterator[Strike]:
    async with down(world, "redis"):

        async def strike() -> None:
            """Do nothing: it was down before the removal already."""

        yield strike


@asynccontextmanager
async def older(world: World) -> AsyncIterator[Strike]:
    before = remembered(world.stack)

    async def strike() -> None:
        await put_back(world.stack, before)

    yield strike


async def tries(mover: Person, place: str) -> list[Reply]:
    """Return the answers to reads and posts by *mover*, all begun at once."""
    reads = [mover.call("GET", f"/conversations/{place}/messages") for _ in range(_CALLS)]
    return await asyncio.gather(*reads, *(mover.post(place, "intruding") for _ in range(_CALLS)))


@pytest.mark.parametrize("hazard", [emptied, gone, older])
async def test_a_removed_member_is_refused_by_every_worker(two: World, hazard: Hazard) -> None:
    owner, mover = await two.people("owner", "mover")
    for _ in range(_ROUNDS):
        place = await owner.group(mover)
        await owner.say(place, "for all")
        # So that every worker has a copy in which the mover is a member.
        await asyncio.gather(*(mover.read(place) for _ in range(_CALLS)))

        async with hazard(two) as strike:
            path = f"/conversations/{place}/members/{mover.user_id}"
            assert (await owner.call("DELETE", path)).status == 204
            await strike()
            answers = [await tries(mover, place) for _ in range(2)]

        assert {reply.status for reply in chain(*answers)} <= {404, 503}
        bodies = [one["body"] for one in await owner.read(place)]
        assert "intruding" not in bodies
