"""Write the SDK's types from the contract's documents: `make types`.

`check` compares instead of writing, for CI. It knows the keywords the documents use, and refuses
others rather than guess.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "sdk/src/generated/contract.ts"
_HEAD: Final = """\
// Made by `make types` from docs/openapi.yaml and docs/asyncapi.yaml; do not edit.
/* eslint-disable max-lines -- a list of what the documents name */

"""
_METHODS: Final = ("get", "put", "post", "delete", "patch")

type Json = dict[str, Any]


def read(name: str) -> Json:
    """Return a document of `docs/`."""
    found: Json = yaml.safe_load((ROOT / "docs" / name).read_text(encoding="utf-8"))
    return found


def contract() -> str:
    """Return the whole TypeScript module."""
    http, hub = read("openapi.yaml"), read("asyncapi.yaml")
    schemas = {**http["components"]["schemas"], **hub["components"]["schemas"]}
    parts = [_declaration(name, schema) for name, schema in schemas.items()]
    parts += [_operations(http), _methods(hub), _events(hub)]
    return _HEAD + "\n".join(parts)


def _declaration(name: str, schema: Json) -> str:
    if schema.get("type") == "object" and "properties" in schema and "allOf" not in schema:
        return f"{_comment(schema)}export interface {name} {_fields(schema, '')}\n"
    return f"{_comment(schema)}export type {name} = {_type(schema, '')};\n"


def _type(schema: Json, indent: str) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(one) for one in schema["enum"])
    parts, between = _parts(schema)
    return between.join(_type(one, indent) for one in parts) if parts else _plain(schema, indent)


def _parts(schema: Json) -> tuple[list[Json], str]:
    if "oneOf" in schema:
        return schema["oneOf"], " | "
    if isinstance(schema.get("type"), list):
        return [{**schema, "type": one} for one in schema["type"]], " | "
    if "type" in schema:  # what stands beside it only narrows it
        return [], ""
    if "anyOf" in schema:
        return schema["anyOf"], " | "
    return [{"type": "object", **one} for one in schema["allOf"]], " & "


def _plain(schema: Json, indent: str) -> str:
    match schema["type"]:
        case "string" | "boolean" | "null" as same:
            return str(same)
        case "integer":
            return "number"
        case "array":
            items = _type(schema["items"], indent)
            return f"({items})[]" if " " in items else f"{items}[]"
        case "object" if "properties" in schema:
            return _fields(schema, indent)
        case "object":
            values = schema.get("additionalProperties")
            return f"Record<string, {_type(values, indent) if values else 'unknown'}>"
    sentence = f"no TypeScript for {schema}"
    raise ValueError(sentence)


def _fields(schema: Json, indent: str) -> str:
    inner = f"{indent}  "
    lines = []
    for name, field in schema["properties"].items():
        mark = "" if name in schema.get("required", []) else "?"
        lines.append(f"{_comment(field, inner)}{inner}{name}{mark}: {_type(field, inner)};\n")
    return f"{{\n{''.join(lines)}{indent}}}"


def _comment(schema: Json, indent: str = "") -> str:
    said = " ".join(schema.get("description", "").split())
    return f"{indent}/** {said} */\n" if said else ""


def _operations(http: Json) -> str:
    lines = []
    for path, item in http["paths"].items():
        for method in (one for one in _METHODS if one in item):
            operation = item[method]
            body = _body(operation.get("requestBody", {}), http)
            lines.append(
                f"  /** {operation['summary']} */\n"
                f"  {operation['operationId']}: {{\n"
                f'    method: "{method.upper()}";\n    path: "{path}";\n'
                f"    body: {body};\n    answer: {_answers(operation, http)};\n  }};\n"
            )
    head = "/** The calls of HTTP, below `/api`. */\nexport interface Operations"
    return f"{head} {{\n{''.join(lines)}}}\n"


def _answers(operation: Json, http: Json) -> str:
    good = [said for status, said in operation["responses"].items() if status < "4"]
    return " | ".join(dict.fromkeys(_body(said, http) for said in good))


def _body(said: Json, http: Json) -> str:
    if "$ref" in said:
        said = http["components"]["responses"][said["$ref"].rpartition("/")[2]]
    media = said.get("content", {}).get("application/json")
    return _type(media["schema"], "    ") if media else "undefined"


def _methods(hub: Json) -> str:
    lines = [
        f"  /** {one['summary']} */\n"
        f"  {name}: {{ argument: {_carried(one['messages'], hub)};"
        f" result: {_carried(one['reply']['messages'], hub)} }};\n"
        for name, one in _acting(hub, "receive")
    ]
    return f"/** The hub's methods. */\nexport interface HubMethods {{\n{''.join(lines)}}}\n"


def _events(hub: Json) -> str:
    lines = [
        f"  /** {one['summary']} */\n  {name}: {_carried(one['messages'], hub)};\n"
        for name, one in _acting(hub, "send")
    ]
    return f"/** The hub's events. */\nexport interface HubEvents {{\n{''.join(lines)}}}\n"


def _acting(hub: Json, action: str) -> Iterator[tuple[str, Json]]:
    for name, one in hub["operations"].items():
        if one["action"] == action:
            yield name, one


def _carried(messages: list[Json], hub: Json) -> str:
    (message,) = messages
    name = message["$ref"].rpartition("/")[2]
    return _type(hub["components"]["messages"][name]["payload"], "")


def main() -> None:
    """Do what the one argument says.

    Raises:
        SystemExit: The types are stale, or the argument is neither `write` nor `check`.

    """
    if sys.argv[1:] == ["write"]:
        TARGET.write_text(contract(), encoding="utf-8")
    elif sys.argv[1:] != ["check"]:
        sys.exit("usage: contract_types.py write|check")
    elif TARGET.read_text(encoding="utf-8") != contract():
        sys.exit(f"{TARGET.relative_to(ROOT)} does not match docs/: run `make types`.")


if __name__ == "__main__":
    main()
