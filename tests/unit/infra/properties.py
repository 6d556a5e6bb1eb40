"""Whether every property a template writes or reads exists in Azure's models."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tree_sitter import Node

from tests.unit.infra.bicep import Declaration, Template, entries, literal, text, walk

FIXTURE = Path(__file__).parent / "properties.json"

# Bicep's own, beside what the resource's model has.
_BICEP = {"name", "parent", "scope", "dependsOn"}
_READABLE = {"id", "name", "type", "location", "tags", "properties"}
_ANYTHING = "*"


class Schema:
    """The extract in properties.json, and which of its definitions were looked at."""

    def __init__(self, extract: dict[str, Any]) -> None:
        self._roots: dict[str, list[str]] = extract["resourceTypes"]
        self._definitions: dict[str, dict[str, Any]] = extract["definitions"]
        self.reached: set[str] = set()

    @classmethod
    def load(cls) -> "Schema":
        return cls(json.loads(FIXTURE.read_text(encoding="utf-8")))

    def roots(self, resource_type: str) -> list[str]:
        return self._roots.get(resource_type, [])

    def lookup(self, keys: list[str], name: str) -> list[str] | frozenset[str] | None:
        """Return what property *name* of the definitions *keys* is.

        Other definitions' keys ([] when it may hold anything), the values of an enumeration, or
        None when no such property exists.
        """
        found: list[str] = []
        known = False
        for key in keys:
            self.reached.add(key)
            kind = self._definitions[key].get(name)
            if isinstance(kind, list):
                return frozenset(kind)
            known = known or kind is not None
            if kind is not None and kind != _ANYTHING:
                found.append(kind)
        return found if known else None


def check_properties(template: Template, schema: Schema) -> list[str]:
    """Return a sentence for every property, or value of an enumeration, that does not exist."""
    findings = []
    for resource in template.of("resource"):
        roots = schema.roots(resource.target.partition("@")[0])
        if not roots:
            findings.append(f"{template.name}:{resource.line}: no model of {resource.target}")
            continue
        if resource.body is not None:
            findings += _check_object(template, schema, roots, resource.body, ignored=_BICEP)
    return findings + list(_check_reads(template, schema))


def _check_object(
    template: Template, schema: Schema, keys: list[str], node: Node, *, ignored: set[str]
) -> Iterator[str]:
    for name, value, place in entries(node):
        if name in ignored or name == "":
            continue
        found = schema.lookup(keys, name)
        line = place.start_point[0] + 1
        if found is None:
            yield f"{template.name}:{line}: no property {name} in {' or '.join(keys)}"
        elif isinstance(found, frozenset):
            yield from _check_value(template, found, value, name)
        elif found:
            yield from _check_type(template, schema, found, value)


def _check_value(
    template: Template, values: frozenset[str], value: Node, name: str
) -> Iterator[str]:
    for node in _possible(value):
        said = literal(node)
        if said is not None and said.lower() not in {one.lower() for one in values}:
            yield f"{template.name}:{node.start_point[0] + 1}: {name} cannot be {said}"


def _check_type(template: Template, schema: Schema, keys: list[str], value: Node) -> Iterator[str]:
    maps = [key for key in keys if key.startswith("{}")]
    for node in _possible(value):
        if node.type != "object":
            continue
        if maps:
            inner = [key[2:] for key in maps]
            for _, each, _ in entries(node):
                if each.type == "object":
                    yield from _check_object(template, schema, inner, each, ignored=set())
        else:
            yield from _check_object(template, schema, keys, node, ignored=set())


def _possible(node: Node) -> Iterator[Node]:
    """Yield the objects and strings a value can be: through arrays, choices and loops."""
    if node.type in {"array", "ternary_expression", "for_statement", "parenthesized_expression"}:
        children = node.named_children
        skipped = 1 if node.type == "ternary_expression" else 0
        chosen = children[-1:] if node.type == "for_statement" else children[skipped:]
        for child in chosen:
            yield from _possible(child)
    elif node.type == "call_expression" and text(node).startswith(("union(", "concat(")):
        for child in node.named_children[-1].named_children:
            yield from _possible(child)
    else:
        yield node


def _check_reads(template: Template, schema: Schema) -> Iterator[str]:
    resources = {one.name: one for one in template.of("resource")}
    for node in walk(template.root):
        if node.type != "member_expression" or _is_inner(node):
            continue
        chain = text(node).replace("?", "").replace("!", "").split(".")
        resource = resources.get(chain[0])
        if resource is not None:
            yield from _check_chain(template, schema, resource, node, chain[1:])


def _is_inner(node: Node) -> bool:
    return node.parent is not None and node.parent.type == "member_expression"


def _check_chain(
    template: Template, schema: Schema, resource: Declaration, node: Node, chain: list[str]
) -> Iterator[str]:
    keys = schema.roots(resource.target.partition("@")[0])
    for depth, name in enumerate(chain):
        found = schema.lookup(keys, name)
        if found is None and not (depth == 0 and name in _READABLE):
            yield f"{template.name}:{node.start_point[0] + 1}: no {'.'.join(chain)} to read"
        if not isinstance(found, list) or not found:
            return
        keys = found
