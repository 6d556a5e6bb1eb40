"""Measures the code's structure: sizes, and how high the services stand on each other.

    python -m tools.structure [DIRECTORY]

A *storey* is one service above another: a service that is built from ports alone stands on the
first, one that is built from it on the second. A *collaborator* is a constructor's parameter that
is a service or a port; settings and functions are none.
tests/unit/test_structure.py holds what docs/architecture.md promises of them.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

_FOLDERS = (
    *("triggers", "shared", "shared/domain", "shared/ports", "shared/services", "shared/adapters"),
    *("local", "bench", "tools", "tests"),
)

type Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Sizes:
    """How long a folder's modules and functions are, in lines; functions without docstrings."""

    modules: Mapping[str, int]
    functions: Mapping[str, int]

    def row(self, folder: str) -> str:
        """Return one line of the table."""
        lengths, modules = sorted(self.functions.values()), self.modules.values()
        p90 = quantiles(lengths, n=10)[-1] if len(lengths) > 1 else 0
        return (
            f"{folder:<18}{len(modules):>8}{sum(modules):>8}{max(modules):>8}"
            f"{len(lengths):>10}{median(lengths):>8.0f}{p90:>6.0f}{lengths[-1]:>6}"
        )


@dataclass(frozen=True, slots=True)
class Service:
    """A class of the services, with the services and ports that its constructor takes."""

    name: str
    services: tuple[str, ...]
    ports: tuple[str, ...]

    @property
    def collaborators(self) -> int:
        return len(self.services) + len(self.ports)


def sizes(root: Path, folder: str) -> Sizes:
    """Measure the Python modules under *folder*."""
    modules: dict[str, int] = {}
    functions: dict[str, int] = {}
    for path in sorted((root / folder).rglob("*.py")):
        name, text = str(path.relative_to(root)), path.read_text(encoding="utf-8")
        modules[name] = len(text.splitlines())
        for node in _functions(ast.parse(text)):
            functions[f"{name}:{node.lineno} {node.name}"] = _length(node)
    return Sizes(modules, functions)


def services(root: Path) -> dict[str, Service]:
    """Return the services by name, as their constructors declare what they take."""
    ports = {node.name for node in _classes(root / "shared" / "ports") if _is_protocol(node)}
    classes = list(_classes(root / "shared" / "services"))
    names = {node.name for node in classes}
    found: dict[str, Service] = {}
    for node in classes:
        taken = [name for annotation in _taken(node) for name in _names(annotation)]
        service = Service(
            node.name,
            tuple(name for name in taken if name in names),
            tuple(name for name in taken if name in ports),
        )
        if service.collaborators:
            found[node.name] = service
    return found


def longest_chain(found: Mapping[str, Service]) -> tuple[str, ...]:
    """Return the services from the highest storey down to one that takes ports alone."""
    chains: dict[str, tuple[str, ...]] = {}

    def chain(name: str) -> tuple[str, ...]:
        if name not in chains:
            below = [chain(other) for other in found[name].services if other in found]
            chains[name] = (name, *max(below, key=len, default=()))
        return chains[name]

    return max((chain(name) for name in found), key=len)


def report(root: Path) -> Iterator[str]:
    """Yield the lines of the report about the project in *root*."""
    yield f"{'folder':<18}{'modules':>8}{'lines':>8}{'max':>8}{'functions':>10}{'median':>8}"
    yield f"{'':<18}{'':>8}{'':>8}{'':>8}{'':>10}{'':>8}{'p90':>6}{'max':>6}"
    for folder in _FOLDERS:
        if (root / folder).is_dir():
            yield sizes(root, folder).row(folder)
    found = services(root)
    chain = longest_chain(found)
    yield ""
    yield f"storeys of services: {len(chain)} ({' > '.join(chain)})"
    counts = sorted(((one.collaborators, one.name) for one in found.values()), reverse=True)
    yield "collaborators: " + ", ".join(f"{name} {count}" for count, name in counts[:8])


def _functions(tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(node: Function) -> int:
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return (node.end_lineno or 0) - body[0].lineno + 1 if body else 0


def _classes(folder: Path) -> Iterator[ast.ClassDef]:
    for path in sorted(folder.rglob("*.py")):
        if path.name == "build.py":
            continue  # it puts services together, and is none
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield from (node for node in tree.body if isinstance(node, ast.ClassDef))


def _is_protocol(node: ast.ClassDef) -> bool:
    return any("Protocol" in ast.unparse(base) for base in node.bases)


def _taken(node: ast.ClassDef) -> Iterable[ast.expr]:
    """Return the annotations of what the constructor takes: of a dataclass, its fields."""
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            arguments = [*item.args.args, *item.args.kwonlyargs]
            return [one.annotation for one in arguments if one.annotation]
    return [item.annotation for item in node.body if isinstance(item, ast.AnnAssign)]


def _names(annotation: ast.expr) -> Iterator[str]:
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name):
            yield node.id


if __name__ == "__main__":
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent
    print("\n".join(report(directory)))  # noqa: T201  # the report
