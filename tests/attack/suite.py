"""Every attack, in order, in the size that the time allows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from tests.attack import floods, frames, http_fuzz, hub_fuzz, races, strangers
from tests.attack.report import Result
from tests.attack.watch import Watch
from tests.integration.app.people import World, world_on
from tests.stack import Stack


@dataclass(frozen=True, slots=True)
class Size:
    """How much of each attack there is.

    Attributes:
        http_examples: Calls made up for each operation and kind; 0 leaves these calls out.
        hub_calls: Calls made up for each method of the hub.
        parallel: Calls under way at once in a flood, and `seconds` how long it lasts.
        rounds: How often a race is run.
    """

    http_examples: int
    hub_calls: int
    parallel: int
    seconds: float
    rounds: int


# The short size leaves out what tests of their own do: the made-up HTTP calls, forged tokens, and
# every call in every role.
SHORT: Final = Size(http_examples=0, hub_calls=60, parallel=200, seconds=2, rounds=1)
LONG: Final = Size(http_examples=150, hub_calls=1_200, parallel=500, seconds=15, rounds=12)


async def attacks(stack: Stack, size: Size) -> AsyncIterator[Result]:
    """Yield each attack's result as it is known; the last is what became of the stack."""
    watch = await Watch.begin(stack)
    async with world_on(stack) as world:
        if size.http_examples:
            yield await asyncio.to_thread(http_fuzz.attack, stack, examples=size.http_examples)
            yield await strangers.forged_tokens(world)
            yield await strangers.missing_rights(world)
        for attack in _attacks(world, size):
            yield await attack()
    yield await watch.end()


def _attacks(world: World, size: Size) -> list[Callable[[], Awaitable[Result]]]:
    crowd = size.parallel
    return [
        lambda: hub_fuzz.attack(world, calls=size.hub_calls),
        lambda: frames.attack(world),
        lambda: races.full_group(world, adders=20),
        lambda: races.one_message_many_times(world, attempts=30),
        lambda: races.removal_while_sending(world, rounds=size.rounds),
        lambda: races.block_while_starting(world, rounds=size.rounds),
        lambda: floods.calls(world, parallel=crowd, seconds=size.seconds),
        lambda: floods.refused_calls(world, parallel=crowd // 4, seconds=size.seconds),
        lambda: floods.negotiations(world, attempts=150),
        lambda: floods.connections(world),
        lambda: floods.typing(world, toggles=100 * size.rounds),
    ]
