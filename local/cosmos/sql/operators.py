"""What the operators do with values, undefined included.

Equality across types is false and never undefined, so that `c.x != null` finds numbers; order
across types is undefined. Source: learn.microsoft.com/azure/cosmos-db/nosql/query (equality and
comparison operators, logical operators, ternary and coalesce, arithmetic, bitwise).
"""

import math
from collections.abc import Callable

from local.cosmos.json_values import UNDEFINED, Value, equal, plain_number, rank

type Operation = Callable[[Value, Value], Value]

_WORD = 0xFFFFFFFF


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


def _ordered(test: Callable[[int], bool]) -> Operation:
    def compare(left: Value, right: Value) -> Value:
        found = order(left, right)
        return UNDEFINED if found is None else test(found)

    return compare


def is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(value: float) -> Value:
    """Return *value* as JSON can hold it, UNDEFINED when it cannot."""
    return plain_number(value) if math.isfinite(value) else UNDEFINED


def _arithmetic(act: Callable[[float, float], float]) -> Operation:
    def compute(left: Value, right: Value) -> Value:
        if isinstance(left, bool) or isinstance(right, bool):
            return UNDEFINED
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            return UNDEFINED
        try:
            return number(act(left, right))
        except (ZeroDivisionError, OverflowError, ValueError):
            return UNDEFINED

    return compute


def _bitwise(act: Callable[[int, int], int]) -> Operation:
    return _arithmetic(lambda left, right: _signed(act(int(left) & _WORD, int(right) & _WORD)))


def _signed(value: int) -> int:
    value &= _WORD
    return value - 2**32 if value & 0x80000000 else value


def _concatenated(left: Value, right: Value) -> Value:
    return left + right if isinstance(left, str) and isinstance(right, str) else UNDEFINED


def _coalesced(left: Value, right: Value) -> Value:
    return right if left is UNDEFINED else left


OPERATIONS: dict[str, Operation] = {
    "AND": both,
    "OR": either,
    "=": same,
    "!=": differs,
    "<>": differs,
    "<": _ordered(lambda found: found < 0),
    "<=": _ordered(lambda found: found <= 0),
    ">": _ordered(lambda found: found > 0),
    ">=": _ordered(lambda found: found >= 0),
    "??": _coalesced,
    "||": _concatenated,
    "+": _arithmetic(lambda left, right: left + right),
    "-": _arithmetic(lambda left, right: left - right),
    "*": _arithmetic(lambda left, right: left * right),
    "/": _arithmetic(lambda left, right: left / right),
    "%": _arithmetic(math.fmod),
    "&": _bitwise(lambda left, right: left & right),
    "|": _bitwise(lambda left, right: left | right),
    "^": _bitwise(lambda left, right: left ^ right),
    "<<": _bitwise(lambda left, right: left << (right & 31)),
    ">>": _bitwise(lambda left, right: _signed(left) >> (right & 31)),
    ">>>": _bitwise(lambda left, right: left >> (right & 31)),
}


def minus(value: Value) -> Value:
    return OPERATIONS["-"](0, value)


def plus(value: Value) -> Value:
    return value if is_number(value) else UNDEFINED


def inverted(value: Value) -> Value:
    return OPERATIONS["^"](value, -1)


UNARY: dict[str, Callable[[Value], Value]] = {
    "NOT": negated,
    "-": minus,
    "+": plus,
    "~": inverted,
}


def member(base: Value, key: Value) -> Value:
    """Return `base[key]`, UNDEFINED where there is none."""
    if isinstance(base, dict) and isinstance(key, str):
        return base.get(key, UNDEFINED)
    if isinstance(base, list) and isinstance(key, int) and not isinstance(key, bool):
        return base[key] if 0 <= key < len(base) else UNDEFINED
    return UNDEFINED
