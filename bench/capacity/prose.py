"""The sentences of docs/capacity.md, with the model's numbers in their places."""

import math
import textwrap
from typing import Final

from bench.capacity import components as bought
from bench.capacity.components import World, components, monthly_usd
from bench.capacity.demand import DAY_S, MONTH_DAYS, Demand, deliveries_per_message, mixed
from bench.capacity.plots import short

LIMITS: Final = """\
Sorted by the number of users at which each is used up, at the peak, with the inputs below. "Ask" is
a quota that a support ticket raises; "buy differently" another shape of the same service; "change
the code" needs work here.
"""

SIZES: Final = """\
What `infra/sizes/` buys at most, and in brackets what the model asks for with its headroom; the
dollars are the model's, for the use it expects and not for the maximum. The pilot leaves out zones,
a second copy of Redis and the gateway, so it costs less than this.
"""

SENSITIVITY: Final = """\
Each row changes one input and nothing else. Idle connections are what costs most: a
page that disconnected tabs nobody looks at, or shared one connection among tabs, would save the
most. Ours does neither yet.
"""

YEARS: Final = """\
And when nothing is ever moved out of Cosmos DB:
"""

CHANGES: Final = (
    ("onlineShareAtPeak", 0.05),
    ("onlineShareAtPeak", 0.2),
    ("messagesPerUserDay", 20.0),
    ("groupShare", 0.4),
    ("meanGroupSize", 20.0),
    ("peakFactor", 8.0),
    ("attachmentShare", 0.1),
    ("heartbeatSeconds", 60.0),
    ("messagesPerFlush", 1.0),
)


def wrapped(text: str) -> str:
    """Return *text* with its paragraphs filled to 100 columns; headings stay as they are."""
    paragraphs = text.strip().split("\n\n")
    filled = [
        textwrap.fill(" ".join(one.split()), 100, break_long_words=False, break_on_hyphens=False)
        for one in paragraphs
    ]
    return "\n\n".join(filled) + "\n"


def opening(world: World) -> str:
    return wrapped(f"""\
# Capacity and cost

Written by `make capacity`; do not edit. From the benchmark's results of
{world.measured.measured_at} (`{world.measured.source}`), the inputs and prices in
`bench/capacity/`, and public limits.

**Not verified.** No Azure subscription was at hand. Counts of requests are measured on the local
stack; its request units follow published formulas; prices are mostly third-party ones (each says
how far it can be trusted); limits are from documentation. Expect the order of magnitude, not the
invoice.
""")


def ten_million(demand: Demand, world: World) -> str:
    inputs, units = world.inputs, bought.signalr_units(demand, world)
    parts = {one.name: one.usd for one in components(demand, world)}
    total = monthly_usd(demand, world)
    instances = math.ceil(bought.instances(demand.calls, world))
    stored = bought.storage_gb(demand, world, years=1)
    years = demand.mean_request_units * inputs["cosmosHourlyRipple"] / stored
    offer = bought.redis_offer(demand, world)
    return wrapped(f"""\
## Ten million users

Ten million people who write {inputs["messagesPerUserDay"]:g} messages a day make
{demand.messages_day / 1e6:,.0f} million messages: {demand.messages_day / DAY_S:,.0f} a second on
average, and {demand.messages:,.0f} in the busy hour at {inputs["peakFactor"]:g} times that.

**Connections are the bill.** {inputs["onlineShareAtPeak"]:.0%} of the users online at the peak
are {short(demand.connections)} connections. A SignalR unit carries a thousand; with
{inputs["headroom"]:.0%} free that is {units:,} units, {math.ceil(units / 1000)} instances or
replicas, ${parts["SignalR units"]:,.0f} a month and {parts["SignalR units"] / total:.0%} of
everything. Messages hardly add to it: each reaches {deliveries_per_message(inputs):.1f}
connections on average, and with all calls of the hub
{(demand.pushes_day + demand.hub_calls_day) / 1e6:,.0f} million pass a day against {units:,}
million included. So the first lever is to hold fewer idle connections, the second to follow the
day's course with autoscale, which this sum does not count on.

**The store.** A message of a pair costs {world.measured.direct["requestUnits"]:.1f} request units
as measured, the mix of pairs and groups {mixed("requestUnits", inputs, world.measured):.1f}; with
the flush of receipts, notices, sessions and reading the peak is {short(demand.request_units)}
RU/s, on average {short(demand.mean_request_units)}. Autoscale bills
${parts["Cosmos DB request units"]:,.0f} a month. {stored / 1000:,.0f} TB are added a year
(${parts["Cosmos DB storage"]:,.0f} a month by its end). Stored data sets a floor: of the autoscale
maximum 10 RU/s a gigabyte, of what is billed one. After {years:.1f} years that floor costs more
than the use itself: by then full buckets have to move to Blob Storage.

**Functions.** {demand.calls:,.0f} calls a second at the peak, sends, receipts, heartbeats and
reading together. {world.measured.worker_ms:.1f} ms of processor time for a message and its
receipt, as measured here on one core, as much again for the host beside the worker, and
{inputs["remoteLatencyMs"]:g} ms of waiting make {instances:,} instances at
{inputs["httpConcurrency"]:g} calls at once. With Python's default of one call at a time it would
be {math.ceil(demand.calls * inputs["remoteLatencyMs"] / 1000):,}.

**Redis.** {short(demand.redis_commands)} commands a second, most of them inside scripts and
pipelines of two round trips a send, and {bought.redis_memory_gb(demand, world):,.0f} GB of live
state: {offer.name}. The app's client knows one endpoint, which is why the database is
`EnterpriseCluster`.

**The flush.** One timer writes at most 500 conversations every 5 seconds, and
{demand.flushes:,.0f} change in a second. Long before ten million users this is the first limit of
the code itself (the table above): receipts stay right in Redis, reach the store later and later,
and are told to groups later and later.

**The gateway.** With all connections through it, {bought.gateway_units(demand, world):,.0f}
capacity units at the peak: the reason why `infra/sizes/10m.json` lets clients connect to SignalR
Service directly. The bill counts them in the gateway, the dearer case.

Altogether ${total:,.0f} a month, ${total / demand.users * 1000:,.0f} for a thousand users, and
${total / (demand.messages_day * MONTH_DAYS / 1000):.4f} for a thousand messages.
""")


def fed(world: World) -> str:
    inbox = world.measured.inbox_request_units
    said = "not measured, assumed" if inbox is None else f"measured: {inbox:g} RU"
    offers, units = world.offers.sources
    return wrapped(f"""\
Measured on the local stack, {world.measured.worker_ms:.2f} ms of the worker's processor time for
a message of a pair with its receipt; an inbox page: {said}. Groups between two and a hundred
members are taken to lie on the line between both. Units of SignalR Service: {units}. Redis:
{offers}.
""")
