"""docs/capacity.md, written whole: every number in it comes from the model."""

import json
import math
from collections.abc import Iterable
from typing import Any

from bench.capacity import components as bought
from bench.capacity import prose
from bench.capacity.components import World, components, monthly_usd
from bench.capacity.demand import MONTH_DAYS, Demand
from bench.capacity.limits import LIMITS, reached_at
from bench.capacity.plots import Chart, Line, short
from bench.capacity.sources import HERE

USERS = (100e3, 300e3, 1e6, 3e6, 10e6, 30e6, 100e6)
SIZES = {"pilot": 5_000.0, "100k": 100e3, "1m": 1e6, "10m": 10e6}
_SIZES_AT = HERE.parents[1] / "infra" / "sizes"

type Row = Iterable[object]


def table(head: Row, rows: Iterable[Row]) -> str:
    lines = [list(map(str, head)), ["---"] * len(list(head)), *([str(c) for c in r] for r in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def page(world: World) -> str:
    """Return the whole document."""
    return "\n".join(
        [
            prose.opening(world),
            "## By number of users\n",
            by_users(world),
            "![Dollars a month by component](capacity-cost.svg)\n",
            "## Which limit comes first\n",
            prose.LIMITS,
            limits(world),
            "![Share of each limit in use](capacity-limits.svg)\n",
            "## Sizes\n",
            prose.SIZES,
            sizes(world),
            prose.ten_million(_demand(10e6, world), world),
            bill(10e6, world),
            prose.YEARS,
            years(10e6, world),
            "## What moves the bill\n",
            prose.SENSITIVITY,
            sensitivity(world),
            "## What the model is fed\n",
            prose.fed(world),
            measured(world),
            inputs(world),
            prices(world),
        ]
    )


def charts(world: World) -> dict[str, str]:
    """Return the pictures by file name."""
    users = [10 ** (5 + i / 8) for i in range(25)]
    by_name: dict[str, list[tuple[float, float]]] = {}
    for number in users:
        for part in components(_demand(number, world), world):
            by_name.setdefault(part.name, []).append((number, part.usd))
    shares = {
        limit.name: [(n, limit.used(_demand(n, world), world)) for n in users] for limit in LIMITS
    }
    return {
        "capacity-cost.svg": _chart("Dollars a month by component", "$", by_name).svg(),
        "capacity-limits.svg": _chart(
            "Share of each limit in use at peak", "share", shares, mark=(1.0, "the limit")
        ).svg(),
    }


def by_users(world: World) -> str:
    head = (
        *("users", "messages/s at peak", "connections", "SignalR units", "RU/s at peak"),
        *("instances", "Redis", "GB a year", "$ a month", "$ per 1,000 messages"),
    )
    return table(head, (_users_row(_demand(number, world), world) for number in USERS))


def _users_row(demand: Demand, world: World) -> Row:
    usd = monthly_usd(demand, world)
    return (
        short(demand.users),
        f"{demand.messages:,.0f}",
        short(demand.connections),
        f"{bought.signalr_units(demand, world):,}",
        short(demand.request_units),
        f"{math.ceil(bought.instances(demand.calls, world)):,}",
        bought.redis_offer(demand, world).name.removeprefix("Balanced_"),
        f"{bought.storage_gb(demand, world, years=1):,.0f}",
        f"{usd:,.0f}",
        f"{usd / (demand.messages_day * MONTH_DAYS / 1000):.4f}",
    )


def limits(world: World) -> str:
    def of(users: float) -> Demand:
        return _demand(users, world)

    found = [(reached_at(limit, of, world), limit) for limit in LIMITS]
    found.sort(key=lambda one: one[0] or math.inf)
    kinds = {"ask": "ask", "buy": "buy differently", "code": "change the code"}
    rows = (
        (
            limit.name,
            f"{short(limit.capacity)} {limit.unit}",
            short(at) if at else "beyond 1G",
            f"{kinds[limit.kind]}: {limit.way}",
        )
        for at, limit in found
    )
    return table(("limit", "there is", "reached at users", "what to do"), rows)


def sizes(world: World) -> str:
    rows = []
    for name, users in SIZES.items():
        demand, size = _demand(users, world), size_file(name)
        replicas = sum(one["units"] for one in size["signalr"]["replicas"])
        throughput = sum(size["cosmos"]["maxThroughput"].values())
        rows.append(
            (
                f"`{name}`",
                short(users),
                f"{size['signalr']['maximumUnits'] + replicas:,}"
                f" ({bought.signalr_units(demand, world):,})",
                f"{throughput:,} ({bought.cosmos_maximum(demand, world):,.0f})",
                f"{size['functions']['maximumInstances']}"
                f" ({math.ceil(bought.instances(demand.calls, world)):,})",
                f"{size['redis']['sku'].removeprefix('Balanced_')}"
                f" ({bought.redis_offer(demand, world).name.removeprefix('Balanced_')})",
                f"{monthly_usd(demand, world):,.0f}",
            )
        )
    head = ("size", "users", "SignalR units", "RU/s", "instances", "Redis", "$ a month")
    return table(head, rows)


def size_file(name: str) -> dict[str, Any]:
    document = json.loads((_SIZES_AT / f"{name}.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["parameters"]["sizing"]["value"]
    return found


def bill(users: float, world: World) -> str:
    parts = components(_demand(users, world), world)
    total = sum(one.usd for one in parts)
    rows = [(one.name, one.buy, f"{one.usd:,.0f}", f"{one.usd / total:.0%}") for one in parts]
    return table(
        ("component", "what", "$ a month", "share"), [*rows, ("all", "", f"{total:,.0f}", "")]
    )


def years(users: float, world: World) -> str:
    demand = _demand(users, world)
    yearly_files = demand.messages_day * world.inputs["attachmentShare"] * 365
    rows = []
    for year in (1, 2, 3, 5):
        stored = bought.storage_gb(demand, world, years=year)
        files = yearly_files * year * world.inputs["attachmentKb"] * 1000 / 1e9
        rows.append(
            (
                year,
                f"{stored:,.0f}",
                short(stored * 10),
                f"{stored * world.prices['cosmosStorageGbMonth']:,.0f}",
                f"{files / 1000:,.0f}",
            )
        )
    head = ("years", "GB in Cosmos DB", "least autoscale maximum, RU/s", "$ a month", "TB of files")
    return table(head, rows)


def sensitivity(world: World) -> str:
    base = monthly_usd(_demand(10e6, world), world)
    rows = []
    for name, value in prose.CHANGES:
        changed = World(
            world.inputs.with_value(name, value), world.prices, world.offers, world.measured
        )
        usd = monthly_usd(_demand(10e6, changed), changed)
        was = world.inputs[name]
        rows.append((f"`{name}` {was:g} to {value:g}", f"{usd:,.0f}", f"{usd / base - 1:+.0%}"))
    return table(("change at 10 million users", "$ a month", "against the above"), rows)


def measured(world: World) -> str:
    rows = (
        (name, f"{world.measured.direct[name]:g}", f"{world.measured.group.get(name, 0):g}")
        for name in world.measured.direct
    )
    return table(("for one message", "pair, receipts on", "group of 100"), rows)


def inputs(world: World) -> str:
    rows = (
        (f"`{name}`", _value(one["value"]), one["why"]) for name, one in world.inputs.values.items()
    )
    return table(("input", "value", "why"), rows)


def prices(world: World) -> str:
    rows = (
        (f"`{name}`", f"{one['usd']:g}", one["unit"], one["source"], one["date"], one["trust"])
        for name, one in world.prices.values.items()
    )
    return table(("price", "$", "for a", "source", "date", "trust"), rows)


def _value(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number:g}" for name, number in value.items())
    return short(float(value)) if isinstance(value, int | float) else str(value)


def _demand(users: float, world: World) -> Demand:
    return Demand.of(users, world.inputs, world.measured)


def _chart(
    title: str,
    up: str,
    lines: dict[str, list[tuple[float, float]]],
    mark: tuple[float, str] | None = None,
) -> Chart:
    drawn = tuple(
        Line(name, tuple(points)) for name, points in lines.items() if any(y for _, y in points)
    )
    return Chart(title, "users", up, drawn, mark)
