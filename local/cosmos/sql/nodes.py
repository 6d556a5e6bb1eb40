"""The parts of a parsed query."""

from dataclasses import dataclass

from local.cosmos.json_values import JsonPath, Value


@dataclass(frozen=True, slots=True)
class Constant:
    value: Value


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter; its name carries the `@`."""

    name: str


@dataclass(frozen=True, slots=True)
class Path:
    """A property of the item that *alias* names; the item itself without *names*."""

    alias: str
    names: JsonPath


@dataclass(frozen=True, slots=True)
class Not:
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class InList:
    operand: "Node"
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class IsDefined:
    operand: "Node"


type Node = Constant | Parameter | Path | Not | Binary | InList | IsDefined


@dataclass(frozen=True, slots=True)
class Column:
    node: Node
    alias: str | None


@dataclass(frozen=True, slots=True)
class Ordering:
    path: JsonPath
    descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT. *columns* is empty for `*`; *root* is the alias of the container's items."""

    columns: tuple[Column, ...]
    value: bool
    distinct: bool
    top: Constant | Parameter | None
    root: str
    where: Node | None
    order_by: Ordering | None


def path_of_node(node: Node) -> JsonPath | None:
    """Return the property that *node* names, or None when it is something else."""
    return node.names or None if isinstance(node, Path) else None
