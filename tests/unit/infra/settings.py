"""The app settings: which ones the code and its bindings read, and which ones Bicep sets."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.unit.infra.bicep import INFRA, Template, entries, entry, literal, parse, walk

ROOT = INFRA.parent

_READERS = {
    "text",
    "required",
    "names",
    "number",
    "flag",
    "limit",
    "_limit",
    "_limit_or_off",
    "needed",
}
# Set by the platform, not by us.
_PLATFORM = {"WEBSITE_AUTH_ENABLED"}
# A connection's own name holds a connection string: locally. In Azure it must stay unset.
CONNECTION_STRINGS = {
    "AzureSignalRConnectionString",
    "BlobConnection",
    "CosmosConnection",
    "NotificationHubConnection",
    "ServiceBusConnection",
}


def read_by_the_code() -> set[str]:
    """Return every setting that `shared/` reads, as it would be named in Azure."""
    found: set[str] = set()
    for path in sorted((ROOT / "shared").glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                found.update(_names_in(call))
    return found - _PLATFORM


def read_by_bindings() -> set[str]:
    """Return every setting that a binding of the function app names."""
    found: set[str] = set()
    for binding in bindings():
        for key, value in binding.items():
            if not isinstance(value, str):
                continue
            if key in {"connection", "connectionStringSetting"}:
                found |= _expanded(value)
            found.update(re.findall(r"%(\w+)%", value))
    return found


@cache
def bindings() -> tuple[dict[str, object], ...]:
    """Return the bindings of every function, as the host is told of them."""
    from function_app import app  # noqa: PLC0415  # the app is indexed only where it is asked for

    return tuple(
        {"function": function.get_function_name(), **binding.get_dict_repr()}
        for function in app.get_functions()
        for binding in function.get_bindings()
    )


def set_by_bicep() -> set[str]:
    """Return the names of all app settings, always set or by choice."""
    main, functions = parse(INFRA / "main.bicep"), parse(INFRA / "app" / "functions.bicep")
    module = main.declarations["functions"].body
    settings = entry(module, "params", "settings")
    assert settings is not None
    names = {key for key, _, _ in entries(settings)}
    for template, variable in (
        (main, "clientSettings"),
        (main, "sqlSettings"),
        (functions, "own"),
    ):
        names.update(_keys_of(template, variable))
    for connection in _connections(functions):
        names |= {f"{connection}__credential", f"{connection}__clientId"}
    return names


def _names_in(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    texts = [one.value for one in call.args if isinstance(one, ast.Constant)]
    words = [one for one in texts if isinstance(one, str)]
    if name == "_endpoint":
        connection, address = words
        yield from (f"{connection}__{part}" for part in (address, "clientId", "credential"))
    elif name in _READERS and words and re.fullmatch(r"[A-Z][A-Z0-9_]+", words[0]):
        yield words[0]


def _expanded(connection: str) -> set[str]:
    if connection not in CONNECTION_STRINGS:
        return {connection}
    return {f"{connection}__credential", f"{connection}__clientId"}


def _keys_of(template: Template, variable: str) -> set[str]:
    return {
        key
        for node in walk(template.declarations[variable].node)
        if node.type == "object"
        for key, _, _ in entries(node)
    }


def _connections(functions: Template) -> list[str]:
    array = functions.declarations["connections"].node.named_children[-1]
    return [name for one in array.named_children if (name := literal(one))]
