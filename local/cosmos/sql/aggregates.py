"""COUNT, SUM, AVG, MIN and MAX over the rows of a group.

Source: learn.microsoft.com/azure/cosmos-db/nosql/query/aggregate-functions.
"""

from collections.abc import Callable, Iterable

from local.cosmos.json_values import UNDEFINED, Value, sort_key
from local.cosmos.sql.operators import is_number, number


def _count(values: list[Value]) -> Value:
    return len(values)


def _sum(values: list[Value]) -> Value:
    found = [value for value in values if isinstance(value, int | float) and is_number(value)]
    return number(sum(found)) if len(found) == len(values) else UNDEFINED


def _average(values: list[Value]) -> Value:
    total = _sum(values)
    if not values or not isinstance(total, int | float):
        return UNDEFINED
    return number(total / len(values))


def _least(values: list[Value]) -> Value:
    return _extreme(values, min)


def _greatest(values: list[Value]) -> Value:
    return _extreme(values, max)


def _extreme(values: list[Value], choose: Callable[..., Value]) -> Value:
    if not values or any(isinstance(value, list | dict) for value in values):
        return UNDEFINED
    return choose(values, key=sort_key)


_AGGREGATES: dict[str, Callable[[list[Value]], Value]] = {
    "COUNT": _count,
    "SUM": _sum,
    "AVG": _average,
    "MIN": _least,
    "MAX": _greatest,
}


def is_aggregate(name: str) -> bool:
    return name in _AGGREGATES


def aggregate(name: str, values: Iterable[Value]) -> Value:
    """Return the aggregate *name* of *values*; undefined ones do not count."""
    return _AGGREGATES[name]([value for value in values if value is not UNDEFINED])
