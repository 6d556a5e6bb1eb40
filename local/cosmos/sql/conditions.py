"""What a WHERE clause says about single paths, read off its parts."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from local.cosmos.json_values import UNDEFINED, JsonPath, Value
from local.cosmos.sql.nodes import (
    Binary,
    Constant,
    InList,
    Node,
    Parameter,
    path_of_node,
)

type Comparison = tuple[JsonPath, str, Value]
type FullKey = tuple[Value, ...]

_FLIPPED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_MAX_KEYS = 500


def conjuncts(node: Node) -> Iterator[Node]:
    """Yield the parts of *node* that all must hold."""
    if isinstance(node, Binary) and node.operator == "AND":
        yield from conjuncts(node.left)
        yield from conjuncts(node.right)
    else:
        yield node


def disjuncts(node: Node) -> Iterator[Node]:
    """Yield the parts of *node* of which one must hold."""
    if isinstance(node, Binary) and node.operator == "OR":
        yield from disjuncts(node.left)
        yield from disjuncts(node.right)
    else:
        yield node


class ConditionReader:
    """Reads conditions on items."""

    def __init__(self, parameters: Mapping[str, Value]) -> None:
        self._parameters = parameters

    def comparisons(self, node: Node) -> Iterator[Comparison]:
        """Yield each `path operator constant` that *node* implies."""
        if isinstance(node, Binary) and node.operator in _FLIPPED:
            yield from self._comparison(node.left, node.operator, node.right)
            yield from self._comparison(node.right, _FLIPPED[node.operator], node.left)

    def choices(self, node: Node) -> tuple[JsonPath | None, list[Value]]:
        """Return the path that *node* limits to some values, and these; (None, []) otherwise."""
        path: JsonPath | None = None
        values: list[Value] = [UNDEFINED]
        match node:
            case InList(operand, items):
                path = path_of_node(operand)
                values = [self._value(item) for item in items]
            case Binary("="):
                for compared, _, value in self.comparisons(node):
                    path, values = compared, [value]
        return (None, []) if path is None or UNDEFINED in values else (path, values)

    def pinned(self, node: Node, key_paths: Sequence[JsonPath]) -> list[FullKey] | None:
        """Return the partition keys *node* limits the items to; None when it does not."""
        if isinstance(node, Binary) and node.operator == "OR":
            left, right = self.pinned(node.left, key_paths), self.pinned(node.right, key_paths)
            return None if left is None or right is None else left + right
        parts = list(conjuncts(node))
        if len(parts) == 1:
            return self._product(dict([self.choices(node)]), key_paths)
        chosen = dict(map(self.choices, parts))
        keys = self._product(chosen, key_paths)
        for part in parts:
            keys = self.pinned(part, key_paths) if keys is None else keys
        return keys

    @staticmethod
    def _product(
        chosen: Mapping[JsonPath | None, list[Value]], key_paths: Sequence[JsonPath]
    ) -> list[FullKey] | None:
        size = 1
        for path in key_paths:
            size *= len(chosen.get(path, ()))
        if any(path not in chosen for path in key_paths) or size > _MAX_KEYS:
            return None
        keys = product(*(chosen[path] for path in key_paths))
        return [key for key in keys if not any(isinstance(part, list | dict) for part in key)]

    def _comparison(self, left: Node, operator: str, right: Node) -> Iterator[Comparison]:
        path, value = path_of_node(left), self._value(right)
        if path is not None and value is not UNDEFINED:
            yield path, operator, value

    def _value(self, node: Node) -> Value:
        if isinstance(node, Constant):
            return node.value
        return (
            self._parameters.get(node.name, UNDEFINED) if isinstance(node, Parameter) else UNDEFINED
        )
