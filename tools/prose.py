"""Check the prose of pages and docstrings: `python tools/prose.py`, a part of `make check`.

proselint knows the phrases that weaken or date a sentence. What it does not know stands in `HOUSE`:
phrases that this project has used and that a reader had to read twice, each with what to say.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from proselint.checks import __register__
from proselint.config import DEFAULT
from proselint.registry import CheckRegistry
from proselint.tools import LintFile

ROOT: Final = Path(__file__).resolve().parents[1]
CODE: Final = ("shared", "triggers", "local", "bench", "tools", "tests")
PAGES: Final = ("*.md", "docs/**/*.md", "*/README.md", "*/*/README.md")
# Typography is for print; the others take headings and terms of the field for faults.
LEFT_OUT: Final = (
    "typography",
    "dates_times",
    "lexical_illusions",
    "weasel_words",
    "uncomparables",
)
HOUSE: Final = {
    r"\bsome \d": "about",
    r"\bmust be a text\b": "must be a string",
    r"\bis none of\b": "is not one of",
    r"\bone of ours\b": "name what it is",
    r"\bis no end\b": "name what follows",
    r"\bbehind (?:the \w+'|their|his|her) backs?\b": "say when, and in which process",
    r"\bnews\b": "pushes, or came_online",
    r"\bgraveyard\b|\bbur(?:y|ied)\b": "dead letter",
    r"\bheal(?:s|ed|ing)?\b": "reconcile",
}


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of prose: where it begins, and what it says."""

    path: Path
    line: int
    body: str


def pages() -> Iterator[Text]:
    """Yield each page of documentation, without its code and links."""
    for pattern in PAGES:
        for path in ROOT.glob(pattern):
            if "node_modules" not in path.parts:
                yield Text(path, 1, _without_code(path.read_text(encoding="utf-8")))


def docstrings() -> Iterator[Text]:
    """Yield the docstring of each module, class and function."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for folder in CODE:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, kinds) and (text := ast.get_docstring(node)):
                    yield Text(path, node.body[0].lineno, _without_code(text))


def findings(text: Text) -> Iterator[str]:
    """Yield a line for each phrase in *text* that should be another."""
    where = text.path.relative_to(ROOT) if text.path.is_relative_to(ROOT) else text.path
    for pattern, better in HOUSE.items():
        for match in re.finditer(pattern, text.body, re.IGNORECASE):
            yield f"{where}:{_line(text, match.start())}: {match[0]!r}: say {better}"
    for result in LintFile(str(where), text.body).lint(_CONFIG):
        found = result.check_result
        yield f"{where}:{text.line + result.pos[0] - 1}: {found.check_path}: {found.message}"


def _line(text: Text, position: int) -> int:
    return text.line + text.body.count("\n", 0, position)


def _without_code(text: str) -> str:
    """Blank out code, tables and the targets of links; keep each line where it is."""
    for pattern in (r"(?s)```.*?```", r"`[^`\n]*`", r"\]\([^)\s]*\)", r"(?m)^\|.*$"):
        text = re.sub(pattern, lambda match: "\n" * match[0].count("\n"), text)
    return text


CheckRegistry().register_many(__register__)
_CONFIG: Final = {**DEFAULT, "checks": {**DEFAULT["checks"], **dict.fromkeys(LEFT_OUT, False)}}


def main() -> int:
    """Print the findings; return 1 if there are any."""
    found = [line for text in [*pages(), *docstrings()] for line in findings(text)]
    print(*found, sep="\n")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
