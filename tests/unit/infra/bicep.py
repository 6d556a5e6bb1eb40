"""Bicep files as trees: what they declare, and what they mention.

tree-sitter-bicep gives the syntax; names, modules and properties are resolved here and in
`properties.py`, because no Bicep compiler can be had from a package registry.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

INFRA = Path(__file__).parents[3] / "infra"

_DECLARATIONS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}
_KEYWORDS = {"existing", "true", "false", "null"}


@dataclass(frozen=True)
class Declaration:
    """One `param`, `var`, `resource`, `module` or `output`, with its decorators."""

    kind: str
    name: str
    node: Node
    decorators: tuple[str, ...]

    @property
    def line(self) -> int:
        return self.node.start_point[0] + 1

    @property
    def target(self) -> str:
        """The type and version of a resource, or the path of a module."""
        return text(next(one for one in self.node.named_children if one.type == "string"))[1:-1]

    @property
    def existing(self) -> bool:
        return any(one.type == "existing" or text(one) == "existing" for one in self.node.children)

    @property
    def required(self) -> bool:
        """Whether a parameter has no default."""
        return not any(text(one) == "=" for one in self.node.children)

    @property
    def body(self) -> Node | None:
        """The object of a resource or module, inside its `if` or `for`."""
        return _innermost_object(self.node)


@dataclass(frozen=True)
class Template:
    """One Bicep file."""

    path: Path
    root: Node
    declarations: dict[str, Declaration] = field(default_factory=dict)
    outputs: dict[str, Declaration] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.path.name

    def of(self, kind: str) -> list[Declaration]:
        return [one for one in self.declarations.values() if one.kind == kind]


def parse(path: Path, source: str | None = None) -> Template:
    """Return the tree of *path*, or of *source* as if it stood there."""
    data = (path.read_text(encoding="utf-8") if source is None else source).encode()
    root = Parser(_language()).parse(data).root_node
    template = Template(path, root)
    decorators: tuple[str, ...] = ()
    for node in root.named_children:
        if node.type == "decorators":
            decorators = tuple(text(one) for one in node.named_children)
            continue
        kind = _DECLARATIONS.get(node.type)
        if kind:
            name = text(next(one for one in node.named_children if one.type == "identifier"))
            into = template.outputs if kind == "output" else template.declarations
            into[name] = Declaration(kind, name, node, decorators)
        decorators = ()
    return template


def load_all(folder: Path = INFRA) -> list[Template]:
    return [parse(path) for path in sorted(folder.rglob("*.bicep"))]


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def text(node: Node) -> str:
    return (node.text or b"").decode()


def syntax_errors(template: Template) -> list[str]:
    return [
        f"{template.name}:{node.start_point[0] + 1}: cannot be parsed"
        for node in walk(template.root)
        if node.type == "ERROR" or node.is_missing
    ]


def entries(node: Node) -> Iterator[tuple[str, Node, Node]]:
    """Yield key, value and property node of an object; the key is '' when it is computed."""
    for one in node.named_children:
        if one.type == "object_property":
            key, value = one.named_children[0], one.named_children[-1]
            computed = key.type == "string" and any(
                part.type == "interpolation" for part in key.named_children
            )
            yield "" if computed else text(key).strip("'"), value, one


def entry(node: Node | None, *path: str) -> Node | None:
    """Return the value at *path* of nested objects, or None."""
    for name in path:
        if node is None or node.type != "object":
            return None
        node = next((value for key, value, _ in entries(node) if key == name), None)
    return node


def literal(node: Node | None) -> str | None:
    """Return the text of a plain string, or None for anything else."""
    if node is None or node.type != "string":
        return None
    if any(part.type == "interpolation" for part in node.named_children):
        return None
    return text(node)[1:-1]


def mentions(template: Template) -> Iterator[tuple[str, Node]]:
    """Yield every name used as a value or called, with its node; locals are left out."""
    for declaration in [*template.declarations.values(), *template.outputs.values()]:
        own = declaration.node
        for node in walk(own):
            if node.type == "identifier" and _is_use(node, own):
                name = text(node)
                if name not in _KEYWORDS and name not in _locals(node):
                    yield name, node


def _is_use(node: Node, declaration: Node) -> bool:
    parent = node.parent
    if parent is None or parent == declaration:
        return declaration.type != "resource_declaration" and _is_value(node, declaration)
    if parent.type == "object_property":
        return parent.named_children[0] != node
    return parent.type not in {"lambda_expression", "loop_variable", "type"} or (
        parent.type == "lambda_expression" and parent.named_children[-1] == node
    )


def _is_value(node: Node, declaration: Node) -> bool:
    names = [one for one in declaration.named_children if one.type == "identifier"]
    return node != names[0]


def _locals(node: Node) -> set[str]:
    found: set[str] = set()
    above = node.parent
    while above is not None:
        if above.type == "for_statement":
            parameters = above.named_children[0]
            found |= {text(one) for one in walk(parameters) if one.child_count == 0}
        if above.type == "lambda_expression":
            found |= {text(one) for one in above.named_children[:-1]}
        above = above.parent
    return found


def _innermost_object(node: Node) -> Node | None:
    for child in reversed(node.named_children):
        if child.type == "object":
            return child
        if child.type in {"if_statement", "for_statement"}:
            return _innermost_object(child)
    return None


@cache
def _language() -> Language:
    return Language(tree_sitter_bicep.language())
