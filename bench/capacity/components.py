"""What has to be bought for a demand, and what it costs a month."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.capacity.demand import DAY_S, MONTH_DAYS, Demand
from bench.capacity.sources import Inputs, Measured, Offers, Prices, RedisOffer

HOURS: Final = 730
_KB, _GB = 1000, 1e9


@dataclass(frozen=True, slots=True)
class World:
    """Everything but the users."""

    inputs: Inputs
    prices: Prices
    offers: Offers
    measured: Measured


@dataclass(frozen=True, slots=True)
class Component:
    """One service: what to buy, in words, and US dollars a month."""

    name: str
    buy: str
    usd: float


def signalr_units(demand: Demand, world: World) -> int:
    """Return units for the connections and for the sends, as they are sold.

    Source: learn.microsoft.com, SignalR performance guide: a unit takes 200 sends to users a
    second over REST. Beyond 1,000 units there are several instances of hundreds.
    """
    free = 1 - world.inputs["headroom"]
    wanted = max(demand.connections / 1000 / free, demand.sends_to_service / 200 / free)
    sold = next((one for one in world.offers.signalr_units if one >= wanted), None)
    return sold if sold is not None else math.ceil(wanted / 100) * 100


def signalr(demand: Demand, world: World) -> list[Component]:
    units = signalr_units(demand, world)
    instances = math.ceil(units / 1000)
    outbound = demand.pushes_day + demand.hub_calls_day
    beyond = max(0.0, outbound - units * 1e6) * MONTH_DAYS / 1e6
    place = "1 instance" if instances == 1 else f"{instances} instances or replicas"
    return [
        Component(
            "SignalR units",
            f"{units:,} units in {place}",
            units * world.prices["signalrPremiumUnitDay"] * MONTH_DAYS,
        ),
        Component(
            "SignalR messages",
            f"{outbound / 1e6:,.0f} million a day, {units:,} million included",
            beyond * world.prices["signalrMessagesPerMillion"],
        ),
    ]


def storage_gb(demand: Demand, world: World, *, years: float) -> float:
    """Return what the store holds after *years*, nothing archived."""
    return demand.messages_day * 365 * years * world.inputs["messageBytes"] / _GB


def cosmos_maximum(demand: Demand, world: World) -> float:
    """Return the autoscale maximum to set, over all containers, in steps of 1,000 RU/s."""
    wanted = demand.request_units * (1 + world.inputs["headroom"])
    floor = 10 * storage_gb(demand, world, years=1)
    return max(5000.0, math.ceil(max(wanted, floor) / 1000) * 1000)


def partitions(demand: Demand, world: World) -> int:
    """Return physical partitions after a year: each holds 50 GB and gives 10,000 RU/s."""
    stored = storage_gb(demand, world, years=1)
    return math.ceil(max(cosmos_maximum(demand, world) / 10_000, stored / 50))


def cosmos(demand: Demand, world: World) -> list[Component]:
    maximum = cosmos_maximum(demand, world)
    billed = max(0.1 * maximum, demand.mean_request_units * world.inputs["cosmosHourlyRipple"])
    stored = storage_gb(demand, world, years=1)
    return [
        Component(
            "Cosmos DB request units",
            f"autoscale to {maximum:,.0f} RU/s in {partitions(demand, world):,} partitions, "
            f"{billed:,.0f} billed on average",
            billed * world.prices["cosmosAutoscaleRuHour"] * HOURS,
        ),
        Component(
            "Cosmos DB storage",
            f"{stored:,.0f} GB after a year",
            stored * world.prices["cosmosStorageGbMonth"],
        ),
    ]


def instances(calls_per_second: float, world: World) -> float:
    """Return how many instances serve so many calls: by processor time, and by concurrency."""
    # A message and its receipt were measured together: two calls.
    busy = calls_per_second * world.measured.worker_ms / 2 / 1000 * world.inputs["hostShare"]
    waiting = calls_per_second * world.inputs["remoteLatencyMs"] / 1000
    return max(
        busy / world.inputs["instanceUtilisation"], waiting / world.inputs["httpConcurrency"]
    )


def functions(demand: Demand, world: World) -> list[Component]:
    at_peak = max(1, math.ceil(instances(demand.calls, world)))
    on_average = max(0.1, instances(demand.calls_day / DAY_S, world))
    gb_seconds = on_average * world.inputs["instanceGb"] * DAY_S * MONTH_DAYS
    executions = demand.calls_day * MONTH_DAYS / 1e6
    return [
        Component(
            "Functions time",
            f"{at_peak:,} instances at peak, {on_average:,.1f} on average",
            gb_seconds * world.prices["functionsGbSecond"],
        ),
        Component(
            "Functions calls",
            f"{executions:,.0f} million a month",
            executions * world.prices["functionsMillionExecutions"],
        ),
    ]


def redis_memory_gb(demand: Demand, world: World) -> float:
    inputs = world.inputs
    members = 2 * (1 - inputs["groupShare"]) + inputs["meanGroupSize"] * inputs["groupShare"]
    conversations = inputs["conversationsPerUser"] / members
    per_user = inputs["redisBytesPerUser"] + inputs["redisBytesPerConversation"] * conversations
    return demand.users * per_user / 0.8 / _GB  # a fifth is reserved


def redis_connections(demand: Demand, world: World) -> float:
    """Return connections: a pool grows to what runs at once, 16 in an instance."""
    return max(1, instances(demand.calls, world)) * world.inputs["httpConcurrency"]


def redis_offer(demand: Demand, world: World) -> RedisOffer:
    """Return the smallest offer that is large enough, or the largest there is."""
    free = 1 - world.inputs["headroom"]

    def enough(offer: RedisOffer) -> bool:
        return (
            offer.memoryGb * free >= redis_memory_gb(demand, world)
            and offer.connections * free >= redis_connections(demand, world)
            and offer.vcpus * world.inputs["redisCommandsPerVcpu"] * free >= demand.redis_commands
        )

    return next((one for one in world.offers.redis if enough(one)), world.offers.redis[-1])


def redis(demand: Demand, world: World) -> list[Component]:
    offer = redis_offer(demand, world)
    buy = (
        f"{offer.name}: {redis_memory_gb(demand, world):,.1f} GB in use, "
        f"{redis_connections(demand, world):,.0f} connections"
    )
    return [Component("Redis", buy, offer.usdMonth)]


def service_bus(demand: Demand, world: World) -> list[Component]:
    operations = demand.notices_day * 3 * MONTH_DAYS / 1e6  # send, receive, complete
    standard = (
        world.prices["serviceBusStandardMonth"]
        + max(0.0, operations - 13) * world.prices["serviceBusStandardMillion"]
    )
    # A messaging unit takes some thousand small messages a second in and out.
    peak = demand.notices_day / DAY_S * world.inputs["peakFactor"]
    units = next((one for one in (1, 2, 4, 8, 16) if one * 1000 >= peak), 16)
    premium = units * world.prices["serviceBusPremiumUnitMonth"]
    if standard <= premium:
        tier, usd = "Standard", standard
    else:
        tier, usd = f"Premium, {units} messaging units", premium
    return [Component("Service Bus", f"{tier}: {operations:,.0f} million operations", usd)]


def gateway_units(demand: Demand, world: World) -> float:
    """Return capacity units for /client and /api: by sockets, by new connections, by bytes.

    Source: learn.microsoft.com, Application Gateway v2 autoscaling: 2,500 sockets, 2.22 Mbps, and
    about 10 new connections a second with the firewall, for a unit.
    """
    peak = world.inputs["peakFactor"] / DAY_S
    sockets = demand.connections / 2500
    fresh = demand.users * world.inputs["sessionsPerUserDay"] * peak / 10
    bits = demand.pushes_day * peak * world.inputs["pushBytes"] * 8 / 2.22e6
    return max(sockets, fresh, bits)


def gateway(demand: Demand, world: World) -> list[Component]:
    mean_units = max(1.0, gateway_units(demand, world) * world.inputs["meanOnlineToPeak"])
    usd = HOURS * (
        world.prices["gatewayHour"] + mean_units * world.prices["gatewayCapacityUnitHour"]
    )
    return [Component("Gateway and firewall", f"{mean_units:,.0f} capacity units on average", usd)]


def files(demand: Demand, world: World) -> list[Component]:
    inputs, prices = world.inputs, world.prices
    per_day = demand.messages_day * inputs["attachmentShare"]
    quarter = per_day * 90 * inputs["attachmentKb"] * _KB / _GB
    year = per_day * 365 * inputs["attachmentKb"] * _KB / _GB
    stored = (
        quarter * prices["blobGbMonth"]
        + (year - quarter) * prices["blobGbMonth"] * prices["blobCoolerShare"]
    )
    # The grant twice, the file, the thumbnail, and the marker.
    writes = per_day * 5 * MONTH_DAYS / 1e4 * prices["blobWritesTenThousand"]
    return [Component("Files", f"{year:,.0f} GB after a year", stored + writes)]


def egress(demand: Demand, world: World) -> list[Component]:
    inputs = world.inputs
    downloads = demand.messages_day * inputs["attachmentShare"] * inputs["attachmentReads"]
    gigabytes = (
        MONTH_DAYS
        * (demand.pushes_day * inputs["pushBytes"] + downloads * inputs["attachmentKb"] * _KB)
        / _GB
    )
    return [Component("Egress", f"{gigabytes:,.0f} GB", gigabytes * world.prices["egressGb"])]


def logs(demand: Demand, world: World) -> list[Component]:
    calls = demand.calls_day * MONTH_DAYS
    share = min(1.0, world.inputs["telemetrySampledAt"] / calls)
    gigabytes = calls * share * world.inputs["logBytesPerCall"] / _GB
    buy = f"{gigabytes:,.0f} GB, {share:.1%} of calls kept"
    return [Component("Logs", buy, gigabytes * world.prices["logsGb"])]


_ALL: Final[tuple[Callable[[Demand, World], list[Component]], ...]] = (
    signalr,
    cosmos,
    functions,
    redis,
    service_bus,
    gateway,
    files,
    egress,
    logs,
)


def components(demand: Demand, world: World) -> list[Component]:
    """Return every component of the bill."""
    return [one for part in _ALL for one in part(demand, world)]


def monthly_usd(demand: Demand, world: World) -> float:
    return sum(one.usd for one in components(demand, world))
