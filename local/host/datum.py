"""Values between host and worker: what `TypedData` is on the real host's gRPC channel."""

import json
from typing import NamedTuple


class Datum(NamedTuple):
    """A value with the name of its `TypedData` field.

    `kind` is `string`, `json`, `bytes`, `int`, `double` or `http`. An `http` value is a list:
    method, url, headers, body, route parameters and query on the way to the worker; status,
    headers, cookies and body on the way back.
    """

    kind: str
    value: object


def string(value: str) -> Datum:
    return Datum("string", value)


def encoded(value: object) -> Datum:
    """Return *value* as compact JSON."""
    return Datum("json", dumps(value))


def dumps(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def plain(datum: Datum | None) -> object:
    """Return the JSON-like value of *datum*, as the host converts a returned `TypedData`."""
    if datum is None:
        return None
    return json.loads(str(datum.value)) if datum.kind == "json" else datum.value
