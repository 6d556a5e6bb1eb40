"""JSON values, the absence of one, and how Cosmos compares and orders them."""

import json
import math
from enum import Enum
from typing import Final, Literal

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None


class _Undefined(Enum):
    UNDEFINED = "undefined"


EXACT: Final = 2**53
UNDEFINED: Final = _Undefined.UNDEFINED
type Value = Json | Literal[_Undefined.UNDEFINED]
type JsonPath = tuple[str, ...]
type SortKey = tuple[int, float | str]

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def dump(value: Json) -> str:
    """Return compact JSON text.

    Raises:
        ValueError: *value* holds a number JSON cannot express.

    """
    return _encode(value)


def _refuse_constant(name: str) -> Json:
    sentence = f"{name} is not JSON"
    raise ValueError(sentence)


def _read_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        sentence = f"{text} is beyond a double"
        raise ValueError(sentence)
    return plain_number(value)


_decode = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_read_float).decode


def load(text: str) -> Json:
    """Return the value of JSON *text*, whole numbers as int: JSON knows one kind of number.

    NaN and infinities, which Python would take, are refused.

    Raises:
        ValueError: *text* is not JSON.

    """
    value: Json = _decode(text)
    return value


def at_path(value: Value, path: JsonPath) -> Value:
    """Return what *path* names inside *value*, or UNDEFINED."""
    for name in path:
        if not isinstance(value, dict):
            return UNDEFINED
        value = value.get(name, UNDEFINED)
    return value


def rank(value: Value) -> int:
    """Return the place of the value's type in Cosmos' order of types, UNDEFINED first.

    Source: learn.microsoft.com/azure/cosmos-db/nosql/query/order-by (mixed types).
    """
    if isinstance(value, str):
        return 5
    if isinstance(value, bool):
        return 3 if value else 2
    if isinstance(value, int | float):
        return 4
    if value is UNDEFINED:
        return 0
    if value is None:
        return 1
    return 6 if isinstance(value, list) else 7


def sort_key(value: Value) -> SortKey:
    """Return a key that sorts any values as `ORDER BY` does; arrays and objects by their text."""
    place = rank(value)
    if isinstance(value, str):
        return place, value
    if isinstance(value, int | float):
        return place, value
    if isinstance(value, list | dict):
        return place, canonical(value)
    return place, 0


def equal(left: Value, right: Value) -> bool:
    """Tell whether two values are the same; 1 and true, equal in Python, are not."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[name], right[name]) for name in left)
    return left == right


def canonical(value: Value) -> str:
    """Return a text that two values share exactly when they are `equal`."""
    if isinstance(value, dict):
        members = (f"{dump(name)}:{canonical(value[name])}" for name in sorted(value))
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if value is UNDEFINED:
        return "undefined"
    return dump(plain_number(value)) if isinstance(value, float) else dump(value)


def plain_number(value: float) -> float:
    """Return a whole float as the int it equals, as far as a double counts one by one."""
    return int(value) if abs(value) <= EXACT and value == int(value) else value
