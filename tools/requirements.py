"""Say, and later check, which pyproject.toml the requirements files were made from.

`stamp` writes a digest of the dependency tables as the first line of each file; `check` compares
it. So a dependency changed without `make lock` is found without asking a package registry. `group`
prints one dependency group.
"""

import hashlib
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FILES = ("requirements.txt", "requirements-dev.txt", "requirements-audit.txt")
_MARK = "# Made by `make lock`; do not edit. From pyproject.toml "


def mark() -> str:
    """Return the first line each file must have."""
    project = _project()
    tables = [project["project"]["dependencies"], project["dependency-groups"]]
    digest = hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()
    return f"{_MARK}{digest[:16]}\n"


def stamp() -> None:
    """Write the mark into each file."""
    for name in FILES:
        path = ROOT / name
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        pins = [line for line in lines if not line.startswith(_MARK)]
        path.write_text("".join([mark(), *pins]), encoding="utf-8")


def group(name: str) -> list[str]:
    """Return what pyproject.toml asks for in the dependency group *name*."""
    asked: list[str] = _project()["dependency-groups"][name]
    return asked


def stale() -> list[str]:
    """Return the files that were made from another pyproject.toml."""
    expected = mark()
    return [
        name for name in FILES if not (ROOT / name).read_text(encoding="utf-8").startswith(expected)
    ]


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def main() -> None:
    """Do what the one argument says.

    Raises:
        SystemExit: A file is stale, or the arguments are none of those above.

    """
    if sys.argv[1:] == ["stamp"]:
        stamp()
    elif sys.argv[1:2] == ["group"] and len(sys.argv) == 3:
        sys.stdout.write("".join(f"{line}\n" for line in group(sys.argv[2])))
    elif sys.argv[1:] != ["check"]:
        sys.exit("usage: requirements.py stamp|check|group NAME")
    elif names := stale():
        sys.exit(f"{' and '.join(names)} do not match pyproject.toml: run `make lock`.")


if __name__ == "__main__":
    main()
