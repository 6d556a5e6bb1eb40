"""The system functions a query may call; an argument of the wrong type gives undefined.

Source: learn.microsoft.com/azure/cosmos-db/nosql/query/system-functions.
"""

import math
import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from local.cosmos.json_values import UNDEFINED, Json, Value, dump, equal, load
from local.cosmos.sql.operators import is_number, number

type Function = Callable[..., Value]

_MODIFIERS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}


def _texts(act: Callable[..., Value]) -> Function:
    def call(*values: Value) -> Value:
        return act(*values) if all(isinstance(value, str) for value in values) else UNDEFINED

    return call


def _numbers(act: Callable[..., float]) -> Function:
    def call(*values: Value) -> Value:
        if not all(map(is_number, values)):
            return UNDEFINED
        try:
            return number(act(*values))
        except (ValueError, OverflowError, ZeroDivisionError):
            return UNDEFINED

    return call


def _compared(act: Callable[[str, str], bool]) -> Function:
    def call(text: Value, part: Value, fold: Value = False) -> Value:
        if not isinstance(text, str) or not isinstance(part, str) or not isinstance(fold, bool):
            return UNDEFINED
        return act(text.casefold(), part.casefold()) if fold else act(text, part)

    return call


def _is(test: Callable[[Value], bool]) -> Function:
    return test


def _primitive(value: Value) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _whole(value: Value) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return None
    return int(value)


def _array_contains(array: Value, wanted: Value, partial: Value = False) -> Value:
    if not isinstance(array, list) or wanted is UNDEFINED:
        return UNDEFINED
    if partial is True and isinstance(wanted, dict):
        return any(_covers(item, wanted) for item in array)
    return any(equal(item, wanted) for item in array)


def _covers(item: Json, wanted: Json) -> bool:
    if isinstance(item, dict) and isinstance(wanted, dict):
        return all(name in item and _covers(item[name], wanted[name]) for name in wanted)
    return equal(item, wanted)


def _contains_some(array: Value, *wanted: Value) -> Value:
    return isinstance(array, list) and any(_array_contains(array, one) is True for one in wanted)


def _contains_all(array: Value, *wanted: Value) -> Value:
    return isinstance(array, list) and all(_array_contains(array, one) is True for one in wanted)


def _array_concat(*arrays: Value) -> Value:
    joined: list[Json] = []
    for array in arrays:
        if not isinstance(array, list):
            return UNDEFINED
        joined.extend(array)
    return joined


def _array_slice(array: Value, start: Value, length: Value = None) -> Value:
    first, count = _whole(start), _whole(length)
    if not isinstance(array, list) or first is None:
        return UNDEFINED
    first = max(first + len(array), 0) if first < 0 else first
    return array[first:] if count is None else array[first : first + max(count, 0)]


def _array_length(array: Value) -> Value:
    return len(array) if isinstance(array, list) else UNDEFINED


def _substring(text: Value, start: Value, length: Value) -> Value:
    first, count = _whole(start), _whole(length)
    if not isinstance(text, str) or first is None or count is None:
        return UNDEFINED
    return text[max(first, 0) :][: max(count, 0)]


def _left(text: Value, count: Value) -> Value:
    return _substring(text, 0, count)


def _right(text: Value, count: Value) -> Value:
    length = _whole(count)
    if not isinstance(text, str) or length is None:
        return UNDEFINED
    return text[max(len(text) - max(length, 0), 0) :]


def _index_of(text: Value, part: Value, start: Value = 0) -> Value:
    first = _whole(start)
    if not isinstance(text, str) or not isinstance(part, str) or first is None:
        return UNDEFINED
    return text.find(part, max(first, 0))


def _replicate(text: Value, times: Value) -> Value:
    count = _whole(times)
    if not isinstance(text, str) or count is None or not 0 <= len(text) * count <= 10_000:
        return UNDEFINED
    return text * count


def _to_string(value: Value) -> Value:
    if value is UNDEFINED or isinstance(value, str):
        return value
    return dump(value)


def _parsed(accept: Callable[[Value], bool]) -> Function:
    def call(text: Value) -> Value:
        try:
            value = load(text) if isinstance(text, str) else UNDEFINED
        except ValueError:
            return UNDEFINED
        return value if accept(value) else UNDEFINED

    return call


def _regex_match(text: Value, pattern: Value, modifiers: Value = "") -> Value:
    if not (isinstance(text, str) and isinstance(pattern, str) and isinstance(modifiers, str)):
        return UNDEFINED
    flags = re.NOFLAG
    for letter in modifiers:
        flags |= _MODIFIERS.get(letter, re.NOFLAG)
    try:
        return re.search(pattern, text, flags) is not None
    except re.error:
        return UNDEFINED


def _if(test: Value, then: Value, otherwise: Value) -> Value:
    return then if test is True else otherwise


def _now_text() -> Value:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def _now_ms() -> Value:
    return int(time.time() * 1000)


def _rounded(value: float) -> float:
    return math.floor(abs(value) + 0.5) * (1 if value >= 0 else -1)


def _log(value: float, base: float = math.e) -> float:
    return math.log(value) if base == math.e else math.log(value, base)


FUNCTIONS: dict[str, tuple[Function, Sequence[int]]] = {
    "IS_DEFINED": (_is(lambda value: value is not UNDEFINED), (1,)),
    "IS_NULL": (_is(lambda value: value is None), (1,)),
    "IS_STRING": (_is(lambda value: isinstance(value, str)), (1,)),
    "IS_NUMBER": (_is(is_number), (1,)),
    "IS_INTEGER": (_is(lambda value: _whole(value) is not None), (1,)),
    "IS_BOOL": (_is(lambda value: isinstance(value, bool)), (1,)),
    "IS_ARRAY": (_is(lambda value: isinstance(value, list)), (1,)),
    "IS_OBJECT": (_is(lambda value: isinstance(value, dict)), (1,)),
    "IS_PRIMITIVE": (_is(_primitive), (1,)),
    "ARRAY_CONTAINS": (_array_contains, (2, 3)),
    "ARRAY_CONTAINS_ANY": (_contains_some, range(2, 100)),
    "ARRAY_CONTAINS_ALL": (_contains_all, range(2, 100)),
    "ARRAY_CONCAT": (_array_concat, range(2, 100)),
    "ARRAY_LENGTH": (_array_length, (1,)),
    "ARRAY_SLICE": (_array_slice, (2, 3)),
    "CONTAINS": (_compared(lambda text, part: part in text), (2, 3)),
    "STARTSWITH": (_compared(str.startswith), (2, 3)),
    "ENDSWITH": (_compared(str.endswith), (2, 3)),
    "STRINGEQUALS": (_compared(lambda text, other: text == other), (2, 3)),
    "CONCAT": (_texts(lambda *parts: "".join(parts)), range(2, 100)),
    "LOWER": (_texts(str.lower), (1,)),
    "UPPER": (_texts(str.upper), (1,)),
    "LENGTH": (_texts(len), (1,)),
    "REVERSE": (_texts(lambda text: text[::-1]), (1,)),
    "TRIM": (_texts(str.strip), (1,)),
    "LTRIM": (_texts(str.lstrip), (1,)),
    "RTRIM": (_texts(str.rstrip), (1,)),
    "REPLACE": (_texts(str.replace), (3,)),
    "SUBSTRING": (_substring, (3,)),
    "LEFT": (_left, (2,)),
    "RIGHT": (_right, (2,)),
    "INDEX_OF": (_index_of, (2, 3)),
    "REPLICATE": (_replicate, (2,)),
    "REGEXMATCH": (_regex_match, (2, 3)),
    "TOSTRING": (_to_string, (1,)),
    "STRINGTONUMBER": (_parsed(is_number), (1,)),
    "STRINGTOBOOLEAN": (_parsed(lambda value: isinstance(value, bool)), (1,)),
    "STRINGTONULL": (_parsed(lambda value: value is None), (1,)),
    "STRINGTOARRAY": (_parsed(lambda value: isinstance(value, list)), (1,)),
    "STRINGTOOBJECT": (_parsed(lambda value: isinstance(value, dict)), (1,)),
    "ABS": (_numbers(abs), (1,)),
    "CEILING": (_numbers(math.ceil), (1,)),
    "FLOOR": (_numbers(math.floor), (1,)),
    "ROUND": (_numbers(_rounded), (1,)),
    "TRUNC": (_numbers(math.trunc), (1,)),
    "SIGN": (_numbers(lambda value: (value > 0) - (value < 0)), (1,)),
    "SQRT": (_numbers(math.sqrt), (1,)),
    "SQUARE": (_numbers(lambda value: value * value), (1,)),
    "POWER": (_numbers(math.pow), (2,)),
    "EXP": (_numbers(math.exp), (1,)),
    "LOG": (_numbers(_log), (1, 2)),
    "LOG10": (_numbers(math.log10), (1,)),
    "PI": (_numbers(lambda: math.pi), (0,)),
    "IIF": (_if, (3,)),
    "GETCURRENTTIMESTAMP": (_now_ms, (0,)),
    "GETCURRENTDATETIME": (_now_text, (0,)),
}
