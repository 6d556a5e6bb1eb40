"""Write properties.json: what the azure-mgmt models say about the resources that `infra/` uses.

The models are about 130 MB, so the tests read this extract instead. Run it when a template uses a
resource type or a nested object that the extract does not know:

    uv run --no-project --with-requirements tests/unit/infra/models.txt \
        python -m tests.unit.infra.derive_properties
"""

import enum
import importlib
import json
import types
import typing
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.unit.infra.bicep import load_all
from tests.unit.infra.properties import FIXTURE, Schema, check_properties
from tests.unit.infra.resource_types import MODELS, PACKAGES

type Definition = dict[str, str | list[str]]


class Models:
    """The definitions reachable from some model classes, by `<package>.<class>`."""

    def __init__(self) -> None:
        self.definitions: dict[str, Definition] = {}

    def add(self, package: str, model: type) -> str:
        """Return the key of a class, having added it and everything it refers to."""
        key = f"{package}.{model.__name__}"
        if key not in self.definitions:
            found: Definition = {}
            self.definitions[key] = found
            # A property may hold any of a base's kinds: they are told apart by a discriminator.
            for kind in [model, *_descendants(model)]:
                home = importlib.import_module(kind.__module__.rpartition(".")[0])
                for name, hint in _fields(kind, home):
                    found[name] = _either(found.get(name, "*"), self._type(package, hint, home))
        return key

    def _type(self, package: str, hint: object, home: ModuleType) -> str | list[str]:
        options = list(_leaves(hint, home))
        for one in options:
            if isinstance(one, type) and issubclass(one, enum.Enum):
                return sorted(str(member.value) for member in one)
            if typing.get_origin(one) is typing.Literal and isinstance(
                typing.get_args(one)[0], str
            ):
                return sorted(str(getattr(a, "value", a)) for a in typing.get_args(one))
        for one in options:
            if isinstance(one, type) and one.__module__.startswith("azure.mgmt"):
                return ("{}" if _is_map(hint) else "") + self.add(package, one)
        return "*"


def _either(known: str | list[str], found: str | list[str]) -> str | list[str]:
    if isinstance(known, list) and isinstance(found, list):
        return sorted({*known, *found})
    return known if found == "*" else found


def _fields(model: Any, home: ModuleType) -> Iterator[tuple[str, object]]:
    if hasattr(model, "_attribute_map"):
        hints = getattr(vars(model).get("__init__"), "__annotations__", {})
        for name, entry in model._attribute_map.items():
            if entry["key"]:
                # Old models flatten: `properties.x.y` is written in three objects.
                hint = hints.get(name) or _old_type(entry["type"], home)
                yield entry["key"].replace("\\.", "\0"), hint
        return
    for base in reversed(model.__mro__):
        for name, hint in vars(base).get("__annotations__", {}).items():
            wire_name = getattr(vars(base).get(name), "_rest_name_input", None)
            if name in vars(base):
                yield wire_name or name, hint


def _old_type(text: str, home: ModuleType) -> object:
    model = getattr(home, text.strip("[]{}"), None)
    if model is None:
        return str
    return types.GenericAlias(dict, (str, model)) if text.startswith("{") else model


def _leaves(hint: object, home: ModuleType) -> Iterator[object]:
    """Yield the classes and literals inside Optional, Union, list and dict."""
    if isinstance(hint, typing.ForwardRef):
        hint = hint.__forward_arg__
    if isinstance(hint, str):
        hint = _evaluated(hint, home)
    arguments = typing.get_args(hint)
    if not arguments or typing.get_origin(hint) is typing.Literal:
        yield hint
        return
    for one in arguments:
        yield from _leaves(one, home)


def _evaluated(hint: str, home: ModuleType) -> object:
    names = {**vars(typing), "_models": home, "_types": home}
    return eval(hint, names, {"datetime": importlib.import_module("datetime")})


def _is_map(hint: object) -> bool:
    return any(typing.get_origin(one) is dict for one in [hint, *typing.get_args(hint)])


def _descendants(model: type) -> list[type]:
    found: list[type] = []
    children: list[type] = model.__subclasses__()
    for child in children:
        found += [child, *_descendants(child)]
    return found


def _nested(flat: Definition, key: str, out: dict[str, Definition]) -> None:
    """Split dotted names into objects of their own, `<key>.<name>`."""
    own: Definition = {}
    deeper: dict[str, Definition] = {}
    for name, kind in flat.items():
        head, dot, rest = name.partition(".")
        if dot:
            deeper.setdefault(head, {})[rest] = kind
        else:
            own[name.replace("\0", ".")] = kind
    for head, fields in deeper.items():
        own[head] = f"{key}.{head}"
        _nested(fields, f"{key}.{head}", out)
    out[key] = own


def derive() -> dict[str, Any]:
    """Return the extract: package versions, resource types, and the definitions they reach."""
    models = Models()
    roots = {
        kind: [models.add(package, _model(package, name)) for package, name in classes]
        for kind, classes in MODELS.items()
    }
    definitions: dict[str, Definition] = {}
    for key, flat in models.definitions.items():
        _nested(flat, key, definitions)
    return {
        "packages": {name: version(name) for name in PACKAGES},
        "resourceTypes": roots,
        "definitions": definitions,
    }


def _model(package: str, name: str) -> type:
    found: type = getattr(importlib.import_module(f"azure.mgmt.{package}.models"), name)
    return found


def main() -> None:
    """Write the extract, cut down to the definitions that the templates reach."""
    whole = derive()
    schema = Schema(whole)
    for template in load_all():
        check_properties(template, schema)
    whole["definitions"] = {
        key: value for key, value in sorted(whole["definitions"].items()) if key in schema.reached
    }
    Path(FIXTURE).write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
