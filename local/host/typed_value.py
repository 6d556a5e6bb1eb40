"""Values between host and worker: what `TypedData` is on the real host's gRPC channel."""

import json
from typing import NamedTuple


class TypedValue(NamedTuple):
    """A value with the name of its `TypedData` field.

    `kind` is `string`, `json`, `bytes`, `int`, `double` or `http`. An `http` value is a list:
    method, url, headers, body, route parameters and query on the way to the worker; status,
    headers, cookies and body on the way back.
    """

    kind: str
    value: object


def string(value: str) -> TypedValue:
    return TypedValue("string", value)


def encoded(value: object) -> TypedValue:
    """Return *value* as compact JSON."""
    return TypedValue("json", dumps(value))


def dumps(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def plain(typed: TypedValue | None) -> object:
    """Return the JSON-like value of *typed*, as the host converts a returned `TypedData`."""
    if typed is None:
        return None
    return json.loads(str(typed.value)) if typed.kind == "json" else typed.value
