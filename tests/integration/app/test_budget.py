"""What one send costs, counted: the budgets of docs/architecture.md.

Timers and change feeds go on behind the sends. So sends are counted in short bursts after quiet
moments, a burst counts only when no other function ran meanwhile, and what the same span costs idle
is subtracted.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Final, Self

import pytest

from tests.hub import Hub
from tests.integration.app.people import World, message, world_on
from tests.stack import Stack, running_stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

BURST: Final = 10  # short enough to fit between two polls of a change feed on a busy machine
BURSTS: Final = 5
MOMENT_S: Final = 1.0  # as often as a change feed is polled
# Polls of the change feeds that no average foresees.
TOLERANCE: Final = 0.08

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
    """The counters of `GET /dev/metrics` that a send may touch, at a moment or over a span."""

    at: float
    cosmos: float
    redis: float
    signalr: float
    bus: float
    others: int

    @classmethod
    async def now(cls, stack: Stack) -> Self:
        metrics = await stack.metrics()
        functions = metrics["functions"].items()
        return cls(
            time.monotonic(),
            metrics["cosmos"]["requests"],
            metrics["redis"]["roundTrips"],
            metrics["signalr"]["restCalls"],
            metrics["serviceBus"]["sent"],
            sum(one["invocations"] for name, one in functions if name != "send_message"),
        )

    def since(self, before: "Count") -> "Count":
        return Count(
            self.at - before.at,
            self.cosmos - before.cosmos,
            self.redis - before.redis,
            self.signalr - before.signalr,
            self.bus - before.bus,
            self.others - before.others,
        )

    def less(self, idle: "Count") -> "Count":
        """Return this span's count without what *idle* costs in the same time."""
        share = self.at / idle.at
        return Count(
            self.at,
            self.cosmos - share * idle.cosmos,
            self.redis - share * idle.redis,
            self.signalr,
            self.bus,
            self.others,
        )


async def quiet(stack: Stack) -> Count:
    """Wait for a moment in which nothing happens; return what it costs."""
    async with asyncio.timeout(120):
        while True:
            before = await Count.now(stack)
            await asyncio.sleep(MOMENT_S)
            idle = (await Count.now(stack)).since(before)
            if idle.others == 0 and idle.cosmos <= 12 and idle.signalr == 0:
                return idle


async def send(hub: Hub, conversation_id: str, count: int) -> None:
    for _ in range(count):
        asked = {"conversationId": conversation_id, **message()}
        assert (await hub.invoke("sendMessage", asked))["ok"]


async def clean_burst(world: World, hub: Hub, conversation_id: str) -> Count:
    """Return what a burst of sends costs during which no other function ran."""
    while True:
        idle = await quiet(world.stack)
        before = await Count.now(world.stack)
        await send(hub, conversation_id, BURST)
        spent = (await Count.now(world.stack)).since(before)
        if spent.others == 0:
            return spent.less(idle)


async def require_budget(world: World, hub: Hub, conversation_id: str) -> None:
    await send(hub, conversation_id, 1)  # whoever opens a conversation pays for it

    spent = [await clean_burst(world, hub, conversation_id) for _ in range(BURSTS)]

    sends = BURSTS * BURST
    assert sum(each.cosmos for each in spent) / sends == pytest.approx(1, abs=TOLERANCE)
    assert sum(each.redis for each in spent) / sends == pytest.approx(2, abs=TOLERANCE)
    assert sum(each.signalr for each in spent) == sends
    assert sum(each.bus for each in spent) == 0


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
