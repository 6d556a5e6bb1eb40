"""The capacity model: it refuses without a measurement, grows with its causes, and adds up."""

import ast
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.capacity import __main__ as command
from bench.capacity import components as bought
from bench.capacity import report
from bench.capacity.components import World, components, monthly_usd
from bench.capacity.demand import Demand, deliveries_per_message, mixed
from bench.capacity.limits import FLUSH_EVERY_S, FLUSHED_AT_ONCE, LIMITS, Limit, reached_at
from bench.capacity.sources import HERE, Inputs, Measured, NotMeasuredError, Offers, Prices

RESULTS = Path(__file__).parent / "results.json"
ROOT = HERE.parents[1]


@pytest.fixture
def world() -> World:
    return World(Inputs.load(), Prices.load(), Offers.load(), Measured.load(RESULTS))


def demand(users: float, world: World) -> Demand:
    return Demand.of(users, world.inputs, world.measured)


def with_input(world: World, name: str, value: float) -> World:
    return replace(world, inputs=world.inputs.with_value(name, value))


def test_without_results_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NotMeasuredError, match="run `make bench` first"):
        Measured.load(tmp_path / "latest.json")


@pytest.mark.parametrize("missing", ["pairs", "group"])
def test_results_without_a_workload_are_refused_by_name(tmp_path: Path, missing: str) -> None:
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    del found[missing]
    path = tmp_path / "latest.json"
    path.write_text(json.dumps(found), encoding="utf-8")

    with pytest.raises(NotMeasuredError, match=f"no {missing}.perMessage.requestUnits"):
        Measured.load(path)


def test_results_without_processor_time_are_refused(tmp_path: Path) -> None:
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    found["pairs"]["cpuSecondsPer1000"] = {"host": 1.0}
    path = tmp_path / "latest.json"
    path.write_text(json.dumps(found), encoding="utf-8")

    with pytest.raises(NotMeasuredError, match="cpuSecondsPer1000"):
        Measured.load(path)


def test_the_command_refuses_in_one_sentence_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "docs"

    status = command.main(["--measured", str(tmp_path / "none.json"), "--out", str(out)])

    assert status == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not out.exists()


def test_the_command_writes_the_document_and_two_pictures(tmp_path: Path) -> None:
    status = command.main(["--measured", str(RESULTS), "--out", str(tmp_path)])

    assert status == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "capacity-cost.svg",
        "capacity-limits.svg",
        "capacity.md",
    ]
    for picture in tmp_path.glob("*.svg"):
        assert ElementTree.fromstring(picture.read_text(encoding="utf-8")) is not None


def test_ten_million_users_send_what_the_design_says(world: World) -> None:
    found = demand(10e6, world)

    assert found.messages_day == 100e6
    assert found.messages == pytest.approx(5_208, abs=1)


def test_a_direct_message_to_somebody_online_is_one_delivery(world: World) -> None:
    changed = with_input(with_input(world, "groupShare", 0), "memberOnlineShare", 1)
    alone = with_input(changed, "connectionsPerOnlineUser", 1)

    assert deliveries_per_message(alone.inputs) == 1


def test_a_mix_without_groups_is_the_pair_and_one_of_hundreds_the_group(world: World) -> None:
    pairs = with_input(world, "groupShare", 0)
    groups = with_input(with_input(world, "groupShare", 1), "meanGroupSize", 100)

    assert mixed("redisCommands", pairs.inputs, world.measured) == 60
    assert mixed("redisCommands", groups.inputs, world.measured) == pytest.approx(440)


@pytest.mark.parametrize(
    "name",
    [
        "messagesPerUserDay",
        "onlineShareAtPeak",
        "groupShare",
        "attachmentShare",
        "sessionsPerUserDay",
    ],
)
def test_more_of_anything_costs_more(name: str, world: World) -> None:
    more = with_input(world, name, world.inputs[name] * 2)

    assert monthly_usd(demand(10e6, more), more) > monthly_usd(demand(10e6, world), world)


def test_the_bill_is_the_sum_of_its_parts(world: World) -> None:
    found = demand(1e6, world)

    assert monthly_usd(found, world) == sum(one.usd for one in components(found, world))
    assert all(one.usd >= 0 for one in components(found, world))


@pytest.mark.parametrize("users", report.USERS)
def test_units_are_sold_and_enough(users: float, world: World) -> None:
    found = demand(users, world)
    units = bought.signalr_units(found, world)

    assert units in world.offers.signalr_units or (units > 1000 and units % 100 == 0)
    assert units * 1000 >= found.connections


def test_a_price_changes_only_its_component(world: World) -> None:
    dearer = json.loads(json.dumps(world.prices.values))
    dearer["logsGb"]["usd"] *= 10
    changed = replace(world, prices=Prices(dearer))

    before = {one.name: one.usd for one in components(demand(1e6, world), world)}
    after = {one.name: one.usd for one in components(demand(1e6, changed), changed)}

    assert {name for name in before if before[name] != after[name]} == {"Logs"}


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_a_limit_is_used_up_where_the_table_says(limit: Limit, world: World) -> None:
    at = reached_at(limit, lambda users: demand(users, world), world)

    assert at is not None
    assert limit.used(demand(at, world), world) >= 1
    assert limit.used(demand(at / 1.6, world), world) < 1


def test_the_flush_limit_is_the_constants_of_the_code() -> None:
    source = (ROOT / "shared" / "services" / "receipts" / "flush.py").read_text(encoding="utf-8")
    constants = {
        node.target.id: node.value.value
        for node in ast.parse(source).body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
    }

    assert constants["_FLUSHED_AT_ONCE"] == FLUSHED_AT_ONCE
    assert FLUSH_EVERY_S == 5


def test_every_price_and_input_says_where_it_is_from() -> None:
    prices, inputs = Prices.load().values, Inputs.load().values

    assert all(one["source"] and one["date"] and one["trust"] for one in prices.values())
    assert all(one["why"] for one in inputs.values())


@pytest.mark.parametrize("name", report.SIZES)
def test_a_size_holds_the_users_it_is_named_after(name: str, world: World) -> None:
    found, size = demand(report.SIZES[name], world), report.size_file(name)
    units = size["signalr"]["maximumUnits"] + sum(r["units"] for r in size["signalr"]["replicas"])
    names = [offer.name for offer in world.offers.redis]

    assert units >= bought.signalr_units(found, world)
    assert sum(size["cosmos"]["maxThroughput"].values()) >= bought.cosmos_maximum(found, world)
    assert size["functions"]["maximumInstances"] >= bought.instances(found.calls, world)
    assert names.index(size["redis"]["sku"]) >= names.index(bought.redis_offer(found, world).name)


@pytest.mark.parametrize("name", report.SIZES)
def test_the_budget_of_a_size_is_above_its_cost_and_below_twice(name: str, world: World) -> None:
    cost = monthly_usd(demand(report.SIZES[name], world), world)

    assert 0.6 * cost <= report.size_file(name)["monthlyBudget"] <= 2 * cost
