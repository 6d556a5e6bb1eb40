"""What one send costs, counted: the budgets of docs/architecture.md.

Timers, change feeds and notifications go on behind the sends and share the counters with them. A
request more for each send shows in every burst; what goes on behind does not. So the budget is held
to the cheapest of several bursts.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Final, Self

import pytest

from tests.hub import Hub
from tests.integration.app.people import World, message, world_on
from tests.stack import Stack, running_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

BURST: Final = 10  # short enough to fit between two polls of a change feed on a busy machine
BURSTS: Final = 12
MOMENT_S: Final = 1.0  # as often as a change feed is polled
REDIS_BEHIND: Final = 3  # round trips of timers and feeds in one burst, at most, where it is quiet

# Timers run seldom here: on a slow machine a burst would never fit between two of them.
_SELDOM: Final = {"CHAT_RECEIPT_FLUSH_SECONDS": "59", "CHAT_PRESENCE_LEASE_SECONDS": "300"}


@pytest.fixture(scope="module")
def quiet_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("quiet"), _SELDOM) as started:
        yield started


@pytest.fixture
async def world(quiet_stack: Stack) -> AsyncIterator[World]:
    """Give people on a stack that nobody else uses."""
    async with world_on(quiet_stack) as made:
        yield made


@dataclass(frozen=True)
class Count:
    """The counters of `GET /dev/metrics` that a send may touch, at a moment or over a burst."""

    cosmos: int
    redis: int
    signalr: int
    bus: int

    @classmethod
    async def now(cls, stack: Stack) -> Self:
        metrics = await stack.metrics()
        return cls(
            metrics["cosmos"]["requests"],
            metrics["redis"]["roundTrips"],
            metrics["signalr"]["restCalls"],
            metrics["serviceBus"]["sent"],
        )

    def since(self, before: "Count") -> "Count":
        return Count(
            self.cosmos - before.cosmos,
            self.redis - before.redis,
            self.signalr - before.signalr,
            self.bus - before.bus,
        )

    def within_budget(self) -> bool:
        return (self.cosmos, self.signalr, self.bus) == (BURST, BURST, 0) and (
            2 * BURST <= self.redis <= 2 * BURST + REDIS_BEHIND
        )


async def quiet(stack: Stack) -> None:
    """Wait for a moment in which the app asks nothing of the store and pushes nothing."""
    async with asyncio.timeout(120):
        while True:
            before = await Count.now(stack)
            await asyncio.sleep(MOMENT_S)
            behind = (await Count.now(stack)).since(before)
            if behind.cosmos == 0 and behind.signalr == 0:
                return


async def send(hub: Hub, conversation_id: str, count: int) -> None:
    for _ in range(count):
        request = {"conversationId": conversation_id, **message()}
        assert (await hub.invoke("sendMessage", request))["ok"]


async def require_budget(world: World, hub: Hub, conversation_id: str) -> None:
    """Send in bursts until one costs what its sends may cost; fail if none does."""
    await send(hub, conversation_id, 1)  # whoever opens a conversation pays for it
    bursts: list[Count] = []
    for _ in range(BURSTS):
        await quiet(world.stack)
        before = await Count.now(world.stack)
        await send(hub, conversation_id, BURST)
        bursts.append((await Count.now(world.stack)).since(before))
        if bursts[-1].within_budget():
            return
    raise AssertionError(f"{BURST} sends never cost what they may: {bursts}")


async def test_a_send_in_a_pair_costs_one_write_two_round_trips_and_one_push(
    world: World,
) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    sender, receiver = await ann.connect(), await bob.connect()

    await require_budget(world, sender, conversation_id)

    last = (await bob.read(conversation_id, "limit=1"))[0]["sequence"]
    await receiver.until(lambda: len(receiver.heard("messagePosted")) == last, "not all heard")


async def test_a_send_in_a_group_of_100_costs_no_more(world: World) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    conversation_id = await ann.group(bob, cyd, *await world.crowd(97))
    sender, receiver, _ = await ann.connect(), await bob.connect(), await cyd.connect()

    await require_budget(world, sender, conversation_id)

    last = (await bob.read(conversation_id, "limit=1"))[0]["sequence"]
    await receiver.until(lambda: len(receiver.heard("messagePosted")) == last, "not all heard")
