"""Which part of a query SQLite can do: a superset of its items, perhaps in its order.

Everything here is an optimisation. What SQLite lets through is filtered again by the compiled
predicate, so a condition may be handed over only if every item the predicate accepts satisfies
it; an order only if SQLite's is Cosmos' (see `Container.mixed_paths`).
"""

from collections.abc import Mapping, Sized
from dataclasses import dataclass, field

from local.cosmos.container import Container
from local.cosmos.json_values import EXACT, JsonPath, Value
from local.cosmos.partition import effective_key
from local.cosmos.protocol import BadRequestError
from local.cosmos.schema import json_path, unique_column
from local.cosmos.sql.conditions import ConditionReader, conjuncts, disjuncts
from local.cosmos.sql.nodes import Binary, Node, Query
from local.cosmos.store import SqlValue

_MAX_CHOICES = 500


@dataclass(frozen=True, slots=True)
class Scope:
    """The part of the hash space a call looks at: one partition, an interval, or everything."""

    epk: str | None = None
    low: str = ""
    high: str = ""

    def conditions(self) -> list[tuple[str, str]]:
        """Return SQL conditions with one parameter each."""
        if self.epk is not None:
            return [("epk = ?", self.epk)]
        from_low = [("epk >= ?", self.low)] if self.low else []
        return [*from_low, ("epk < ?", self.high)] if self.high not in {"", "FF"} else from_low


@dataclass(slots=True)
class Filter:
    """SQL conditions, all of which must hold, and their parameters."""

    conditions: list[str] = field(default_factory=list)
    parameters: list[SqlValue] = field(default_factory=list)

    def add(self, condition: str, *parameters: SqlValue) -> None:
        self.conditions.append(condition)
        self.parameters.extend(parameters)

    @property
    def where(self) -> str:
        return " AND ".join(self.conditions) or "1"


def filter_of(
    container: Container, scope: Scope, query: Query, parameters: Mapping[str, Value]
) -> Filter:
    """Return conditions that every item of the query's result satisfies."""
    narrowed = Filter()
    for condition, position in scope.conditions():
        narrowed.add(condition, position)
    if query.where is None:
        return narrowed
    reader = ConditionReader(parameters)
    pinned = reader.pinned(query.where, container.key_paths) if scope.epk is None else None
    if pinned is not None and len(pinned) <= _MAX_CHOICES:
        narrowed.add(_one_of("epk", pinned), *map(effective_key, pinned))
    return _implied(container, reader, query.where, narrowed)


def check_order(container: Container, query: Query) -> None:
    """Refuse an ORDER BY that the container's indexes cannot serve, as the service does.

    Raises:
        BadRequestError: The path is not indexed.

    """
    if query.order_by is not None and not container.policy.covers(query.order_by.path):
        raise BadRequestError(
            "The index path corresponding to the specified order-by item is excluded."
        )


def ordered_column(container: Container, scope: Scope, query: Query) -> str | None:
    """Return the SQL expression that sorts as the query's ORDER BY does, if there is one."""
    if query.order_by is None or scope.epk is None:
        return None
    path = query.order_by.path
    if path == ("id",):
        return "id"
    if path in container.ordered_paths and path not in container.mixed_paths:
        return json_path(path)
    return None


def _implied(
    container: Container, reader: ConditionReader, where: Node, narrowed: Filter
) -> Filter:
    equal: dict[JsonPath, Value] = {}
    for node in conjuncts(where):
        for path, operator, value in reader.comparisons(node):
            _add_comparison(narrowed, container, path, operator, value)
            if operator == "=":
                equal[path] = value
        _add_ids(narrowed, reader, node)
        if isinstance(node, Binary) and node.operator == "OR":
            _add_either(narrowed, container, reader, node)
    for at, paths in enumerate(container.unique_keys):
        if all(path in equal for path in paths):
            narrowed.add(
                f"{unique_column(at)} = ?", container.unique_text([equal[path] for path in paths])
            )
    return narrowed


def _add_either(
    narrowed: Filter, container: Container, reader: ConditionReader, node: Binary
) -> None:
    # Side by side, not one within another: SQLite's parser takes no hundred nested parentheses.
    branches = [_implied(container, reader, part, Filter()) for part in disjuncts(node)]
    if len(branches) <= _MAX_CHOICES and all(branch.conditions for branch in branches):
        either = " OR ".join(f"({branch.where})" for branch in branches)
        narrowed.add(
            f"({either})", *(parameter for branch in branches for parameter in branch.parameters)
        )


def _add_ids(narrowed: Filter, reader: ConditionReader, node: Node) -> None:
    path, values = reader.choices(node)
    if path == ("id",) and len(values) <= _MAX_CHOICES:
        ids = [value for value in values if isinstance(value, str)]
        narrowed.add(_one_of("id", ids), *ids)


def _one_of(column: str, values: Sized) -> str:
    return f"{column} IN ({','.join('?' * len(values))})"


def _add_comparison(
    narrowed: Filter, container: Container, path: JsonPath, operator: str, value: Value
) -> None:
    if path == ("id",) and isinstance(value, str) and operator != "=":
        narrowed.add(f"id {operator} ?", value)
    column = json_path(path)
    exact = _exact(value)
    if path != ("id",) and column and exact is not None and container.policy.covers(path):
        narrowed.add(f"{column} {operator} ?", exact)


def _exact(value: Value) -> float | str | None:
    if isinstance(value, str):
        return None if "\0" in value else value
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > EXACT:
        return None
    return value
