"""The contract's documents as tests use them: read, looked up, made strict."""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from tests.stack import ROOT

Json = dict[str, Any]

METHODS: Final = ("get", "put", "post", "delete", "patch")
_FILES: Final = ("openapi.yaml", "asyncapi.yaml")


def _is_integer(_checker: object, value: object) -> bool:
    # A number with a fraction is none, be the fraction zero: the documents say so.
    return isinstance(value, int) and not isinstance(value, bool)


_extend: Any = extend  # not typed
_Validator = _extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


@cache
def document(name: str) -> Json:
    """Return `docs/<name>`."""
    read: Json = yaml.safe_load((ROOT / "docs" / name).read_text(encoding="utf-8"))
    return read


def openapi() -> Json:
    return document("openapi.yaml")


def asyncapi() -> Json:
    return document("asyncapi.yaml")


def operations() -> Iterator[tuple[str, str, Json]]:
    """Yield the method in upper case, the path and the operation of each HTTP call."""
    for path, item in openapi()["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def methods() -> dict[str, Json]:
    """Return the hub's methods by name."""
    found = asyncapi()["operations"]
    return {name: one for name, one in found.items() if one["action"] == "receive"}


def events() -> dict[str, Json]:
    """Return the hub's events by name."""
    found = asyncapi()["operations"]
    return {name: one for name, one in found.items() if one["action"] == "send"}


def find_operation(method: str, path: str) -> tuple[str, Json]:
    """Return the path template and the operation that serve a call below `/api`."""
    asked = urlsplit(path).path
    for name, template, operation in operations():
        shape = re.sub(r"\{\w+\}", "[^/]+", template)
        if name == method and re.fullmatch(shape, asked):
            return template, operation
    raise AssertionError(f"{method} {asked} is in no document")


def find_response(operation: Json, status: int) -> Json:
    """Return what an operation says of a status.

    Raises:
        AssertionError: It does not name that status.

    """
    named = operation["responses"].get(str(status))
    assert named is not None, f"{operation['operationId']} does not name {status}"
    return resolve(named)


def resolve(value: Json, home: str = "openapi.yaml") -> Json:
    """Return what *value* refers to, or itself."""
    if "$ref" not in value:
        return value
    file, _, pointer = value["$ref"].removeprefix("./").partition("#")
    found: Any = document(file or home)
    for part in pointer.removeprefix("/").split("/"):
        found = found[part]
    return resolve(found, file or home)


def inlined(value: Any, home: str) -> Any:
    """Return a copy of *value* with every reference replaced by what it refers to."""
    if isinstance(value, dict):
        if "$ref" in value:
            file = value["$ref"].removeprefix("./").partition("#")[0] or home
            return inlined(resolve(value, home), file)
        return {name: inlined(one, home) for name, one in value.items()}
    if isinstance(value, list):
        return [inlined(one, home) for one in value]
    return value


def schema(name: str) -> Json:
    """Return the schema *name* of either document, without references."""
    for file in _FILES:
        if name in document(file)["components"]["schemas"]:
            return dict(inlined(document(file)["components"]["schemas"][name], file))
    raise AssertionError(f"no schema {name}")


def payload(message: Json) -> Json:
    """Return the schema of what an AsyncAPI message carries, without references."""
    return dict(inlined(resolve(message, "asyncapi.yaml")["payload"], "asyncapi.yaml"))


def accepts(asked: Json) -> Callable[[object], bool]:
    """Return a test for values that *asked* takes."""
    validator = _Validator(asked)
    return lambda value: bool(validator.is_valid(value))


def check(value: object, asked: Json, *, what: str) -> None:
    """Refuse a *value* that is not as *asked*, or holds a field that no document names.

    Raises:
        AssertionError: It does not hold; the text begins with *what*.

    """
    errors = sorted(_Validator(closed(asked)).iter_errors(value), key=lambda one: one.json_path)
    said = "\n".join(f"{one.json_path}: {one.message}" for one in errors)
    assert not errors, f"{what}\n{said}\n{json.dumps(value)[:2000]}"


def closed(value: Any) -> Any:
    """Return a copy of a schema that takes no field beside those it names."""
    if isinstance(value, list):
        return [closed(one) for one in value]
    if not isinstance(value, dict):
        return value
    copy = {name: closed(one) for name, one in value.items()}
    if copy.get("type") == "object" and "properties" in copy:
        copy.setdefault("additionalProperties", False)
    return copy
