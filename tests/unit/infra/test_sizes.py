"""Sizes: each is whole, is made only of what Azure sells, and grows with the users."""

import json
from typing import Any

import pytest

from tests.unit.infra.bicep import INFRA, Template, entries, entry, parse, text, walk
from tests.unit.infra.settings import bindings

NAMES = ("pilot", "100k", "1m", "10m")


def parameter(name: str) -> dict[str, Any]:
    document = json.loads((INFRA / "sizes" / f"{name}.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["parameters"]["sizing"]
    return found


SIZES = {name: parameter(name)["value"] for name in NAMES}
MODEL = json.loads((INFRA / "data-model.json").read_text(encoding="utf-8"))

# Units that can be bought. Source: learn.microsoft.com, "Scale an Azure SignalR Service instance".
UNITS = {
    "Standard_S1": {*range(1, 11), *range(20, 101, 10)},
    "Premium_P1": {*range(1, 11), *range(20, 101, 10)},
    "Premium_P2": set(range(100, 1001, 100)),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_size_has_every_part_of_the_others(name: str) -> None:
    def shape(value: object) -> object:
        if isinstance(value, dict):
            return {key: shape(each) for key, each in value.items()}
        return type(value).__name__

    assert shape(SIZES[name]) == shape(SIZES["pilot"])


@pytest.mark.parametrize("name", NAMES)
def test_a_size_says_what_it_holds_and_where_its_cost_is(name: str) -> None:
    said = parameter(name)["metadata"]

    assert "users" in said["holds"]
    assert said["costs"].startswith("docs/capacity.md#sizes")


@pytest.mark.parametrize("name", NAMES)
def test_signalr_units_are_for_sale(name: str) -> None:
    signalr = SIZES[name]["signalr"]
    sold = UNITS[signalr["sku"]]

    wanted = [signalr["units"], signalr["maximumUnits"], *(r["units"] for r in signalr["replicas"])]

    assert set(wanted) <= sold


@pytest.mark.parametrize("name", NAMES)
def test_every_container_has_its_throughput_in_thousands(name: str) -> None:
    throughput = SIZES[name]["cosmos"]["maxThroughput"]

    assert set(throughput) == {one["name"] for one in MODEL["containers"]}
    assert all(value >= 1000 and value % 1000 == 0 for value in throughput.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_cost_brake_lets_every_container_reach_its_maximum(name: str) -> None:
    cosmos = SIZES[name]["cosmos"]
    limit = cosmos["totalThroughputLimit"]

    assert limit == -1 or limit >= sum(cosmos["maxThroughput"].values())


@pytest.mark.parametrize("name", NAMES)
def test_http_concurrency_is_said_because_python_has_one_by_default(name: str) -> None:
    assert SIZES[name]["functions"]["httpConcurrency"] >= 8


@pytest.mark.parametrize("name", NAMES)
def test_what_is_always_ready_exists(name: str) -> None:
    functions = {f"function:{one['function']}" for one in bindings()} | {"http"}

    assert {one["name"] for one in SIZES[name]["functions"]["alwaysReady"]} <= functions


def test_a_larger_size_holds_more_of_everything() -> None:
    def amounts(name: str) -> list[int]:
        size = SIZES[name]
        units = size["signalr"]["maximumUnits"] + sum(
            one["units"] for one in size["signalr"]["replicas"]
        )
        return [
            units,
            size["cosmos"]["maxThroughput"]["messages"],
            size["functions"]["maximumInstances"],
            size["monthlyBudget"],
        ]

    grown = [amounts(name) for name in NAMES]

    for column in zip(*grown, strict=True):
        assert sorted(column) == list(column)


def plan_reads(template: Template, name: str) -> set[tuple[str, ...]]:
    """Return what *template* reads of its object *name*, as paths of keys."""
    found = set()
    for node in walk(template.root):
        if node.type == "member_expression" and (
            node.parent is None or node.parent.type != "member_expression"
        ):
            parts = text(node).split(".")
            if parts[0] == name:
                found.add(tuple(part.partition("[")[0] for part in parts[1:]))
    return found


def paths(value: object, depth: int) -> set[tuple[str, ...]]:
    """Return the keys of nested objects, at most *depth* deep."""
    if not isinstance(value, dict) or depth == 0:
        return {()}
    return {(key, *rest) for key, each in value.items() for rest in paths(each, depth - 1)}


def test_templates_read_of_a_size_exactly_what_is_in_it() -> None:
    main = parse(INFRA / "main.bicep")
    read = plan_reads(main, "plan")
    for module in main.of("module"):
        callee = parse(INFRA / module.target)
        for name, value, _ in entries(entry(module.body, "params") or main.root):
            part = text(value).split(".")
            if part[0] == "plan" and len(part) == 2 and "[" not in part[1]:
                read |= {(part[1], *rest) for rest in plan_reads(callee, name)}

    given = paths(SIZES["pilot"], 2)

    assert {one[:2] for one in read if len(one) > 1 or (one[0],) in given} == given
