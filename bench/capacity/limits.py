"""Which limit a growing number of users meets, where, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.capacity import components as bought
from bench.capacity.components import World
from bench.capacity.demand import Demand

_SMALLEST: Final = 1_000.0
_LARGEST: Final = 1e9


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit: how much there is, how much a demand needs, and the way past it.

    Args:
        kind: "ask" (a quota a ticket raises), "buy" (another shape of the service) or "code" (a
            constant or a design of this project).
    """

    name: str
    unit: str
    capacity: float
    needed: Callable[[Demand, World], float]
    kind: str
    way: str

    def used(self, demand: Demand, world: World) -> float:
        """Return how much of it is used: 1 is all."""
        return self.needed(demand, world) / self.capacity


# The two constants of the code that a timer's single run is bound by; tests hold them to the code.
FLUSHED_AT_ONCE: Final = 5_000
FLUSH_EVERY_S: Final = 5

LIMITS: Final = (
    Limit(
        "Receipts flushed by the one timer",
        "conversations a second",
        FLUSHED_AT_ONCE / FLUSH_EVERY_S,
        lambda demand, _: demand.flushes,
        "code",
        "one timer for each of the 16 shards of `dirty`; until then receipts in the store "
        "and group receipts come late, none is lost while Redis lives",
    ),
    Limit(
        "SignalR quota of a new subscription",
        "units",
        150,
        bought.signalr_units,
        "ask",
        "a support ticket before the launch",
    ),
    Limit(
        "Instances of a Flex region quota",
        "instances of 2 GB",
        250,
        lambda demand, world: bought.instances(demand.calls, world),
        "ask",
        "a support ticket",
    ),
    Limit(
        "One SignalR instance",
        "units",
        1000,
        bought.signalr_units,
        "buy",
        "a replica in a second region (infra/sizes/10m.json): same hub, same address; "
        "then several instances with `Azure__SignalR__Endpoints__...` and Persistent transport",
    ),
    Limit(
        "Instances of one Flex app",
        "instances",
        1000,
        lambda demand, world: bought.instances(demand.calls, world),
        "code",
        "a second app for what is not HTTP or hub: change feeds, queue and timers",
    ),
    Limit(
        "One gateway, with the connections",
        "capacity units",
        1250,
        bought.gateway_units,
        "buy",
        "`throughGateway: false`: clients connect to SignalR Service; then a second gateway",
    ),
    Limit(
        "Request units of one container",
        "RU/s",
        1e6,
        lambda demand, _: demand.request_units * 0.6,
        "ask",
        "a support ticket; then accounts by range of conversation id",
    ),
    Limit(
        "Memory of one EnterpriseCluster Redis",
        "GB (assumed)",
        120 * 0.75,
        bought.redis_memory_gb,
        "code",
        "a cluster-aware client and `OSSCluster` (keys already carry hash tags), or a shorter life "
        "for idle live state than 90 days",
    ),
    Limit(
        "Commands of one Redis proxy",
        "commands a second (assumed)",
        1_000_000,
        lambda demand, _: demand.redis_commands,
        "code",
        "a cluster-aware client and `OSSCluster`",
    ),
)


def reached_at(limit: Limit, of: Callable[[float], Demand], world: World) -> float | None:
    """Return the number of users that use *limit* up, or None below a thousand million."""
    low, high = _SMALLEST, _LARGEST
    if limit.used(of(high), world) < 1:
        return None
    if limit.used(of(low), world) >= 1:
        return low
    while high / low > 1.01:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if limit.used(of(middle), world) >= 1 else (middle, high)
    return high
