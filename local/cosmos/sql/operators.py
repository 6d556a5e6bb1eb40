"""What the operators do with values, undefined included.

Equality across types is false and never undefined, so that `c.x != null` finds numbers; order
across types is undefined. Source: learn.microsoft.com/azure/cosmos-db/nosql/query (equality and
comparison operators, logical operators).
"""

from collections.abc import Callable

from local.cosmos.json_values import UNDEFINED, Value, equal, rank

type Operation = Callable[[Value, Value], Value]


def both(left: Value, right: Value) -> Value:
    """AND: false decides; otherwise anything but a boolean makes it undefined."""
    if left is False or right is False:
        return False
    return True if left is True and right is True else UNDEFINED


def either(left: Value, right: Value) -> Value:
    """OR: true decides; otherwise anything but a boolean makes it undefined."""
    if left is True or right is True:
        return True
    return False if left is False and right is False else UNDEFINED


def negated(value: Value) -> Value:
    return (not value) if isinstance(value, bool) else UNDEFINED


def same(left: Value, right: Value) -> Value:
    if left is UNDEFINED or right is UNDEFINED:
        return UNDEFINED
    return equal(left, right)


def differs(left: Value, right: Value) -> Value:
    return negated(same(left, right))


def order(left: Value, right: Value) -> int | None:
    """Return -1, 0 or 1; None when the two cannot be ordered."""
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if isinstance(left, bool) or isinstance(right, bool):
        return (
            rank(left) - rank(right) if isinstance(left, bool) is isinstance(right, bool) else None
        )
    if isinstance(left, int | float) and isinstance(right, int | float):
        return (left > right) - (left < right)
    return 0 if left is None and right is None else None


def is_in(value: Value, choices: list[Value]) -> Value:
    if value is UNDEFINED:
        return UNDEFINED
    return any(choice is not UNDEFINED and equal(value, choice) for choice in choices)


def _ordered(test: Callable[[int], bool]) -> Operation:
    def compare(left: Value, right: Value) -> Value:
        sign = order(left, right)
        return UNDEFINED if sign is None else test(sign)

    return compare


OPERATIONS: dict[str, Operation] = {
    "AND": both,
    "OR": either,
    "=": same,
    "!=": differs,
    "<>": differs,
    "<": _ordered(lambda sign: sign < 0),
    "<=": _ordered(lambda sign: sign <= 0),
    ">": _ordered(lambda sign: sign > 0),
    ">=": _ordered(lambda sign: sign >= 0),
}
