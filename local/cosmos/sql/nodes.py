"""The parts of a parsed query."""

from dataclasses import dataclass
from typing import Literal

from local.cosmos.json_values import JsonPath, Value


@dataclass(frozen=True, slots=True)
class Constant:
    value: Value


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str


@dataclass(frozen=True, slots=True)
class Name:
    """An alias bound by FROM or JOIN."""

    name: str


@dataclass(frozen=True, slots=True)
class Member:
    base: "Node"
    key: "Node"


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Conditional:
    test: "Node"
    then: "Node"
    otherwise: "Node"


@dataclass(frozen=True, slots=True)
class InList:
    operand: "Node"
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Between:
    operand: "Node"
    low: "Node"
    high: "Node"


@dataclass(frozen=True, slots=True)
class Like:
    operand: "Node"
    pattern: "Node"
    escape: str


@dataclass(frozen=True, slots=True)
class FunctionCall:
    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class ObjectNode:
    members: tuple[tuple[str, "Node"], ...]


@dataclass(frozen=True, slots=True)
class ArrayNode:
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Subquery:
    kind: Literal["scalar", "exists", "array"]
    query: "Query"


type Node = (
    Constant
    | Parameter
    | Name
    | Member
    | Unary
    | Binary
    | Conditional
    | InList
    | Between
    | Like
    | FunctionCall
    | ObjectNode
    | ArrayNode
    | Subquery
)


@dataclass(frozen=True, slots=True)
class Source:
    """One FROM or JOIN source; *each* iterates the array it names (`x IN path`)."""

    alias: str
    node: "Node | Query"
    each: bool


@dataclass(frozen=True, slots=True)
class Column:
    node: Node
    alias: str | None


@dataclass(frozen=True, slots=True)
class Ordering:
    node: Node
    descending: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT. *columns* is empty for `*`; *root* is the alias of the container's items."""

    columns: tuple[Column, ...]
    value: bool
    distinct: bool
    top: Node | None
    root: str
    sources: tuple[Source, ...]
    where: Node | None
    group_by: tuple[Node, ...]
    order_by: tuple[Ordering, ...]
    offset: Node | None
    limit: Node | None


def path_of_node(node: Node, root: str) -> JsonPath | None:
    """Return the path below *root* that *node* names, or None when it names no such thing."""
    names: list[str] = []
    while isinstance(node, Member):
        if not isinstance(node.key, Constant) or not isinstance(node.key.value, str):
            return None
        names.append(node.key.value)
        node = node.base
    if isinstance(node, Name) and node.name == root and names:
        return tuple(reversed(names))
    return None
