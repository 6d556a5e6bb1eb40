"""Write the table of layers in docs/architecture.md from the import linter's rules, or check it.

    python tools/layers.py [write|check]

The rules in .importlinter decide what may import what. The table says it to people, with a line on
what each layer holds; the lines stand here, so that a layer without one is found.
"""

import configparser
import re
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- layers: tools/layers.py writes this -->\n", "<!-- end of layers -->\n"
HOLDS: Final = {
    "triggers": "bind, decode, delegate, encode; the table of errors",
    "shared.bootstrap": "builds the chat once per worker, at its first use",
    "shared.composition": "puts services and adapters together",
    "shared.adapters": "Cosmos DB, Redis, Service Bus, Blob Storage, SignalR, push, identity",
    "shared.services": "use cases: load, decide, store, say what to push",
    "shared.ports": "what the chat needs of the outside, by role",
    "shared.domain": "rules: pure functions over frozen values",
    "local": "Azure on one machine; never deployed",
}


def table() -> str:
    """Return the table as Markdown.

    Raises:
        KeyError: A layer of the rules has no line in `HOLDS`.
    """
    rules = configparser.ConfigParser()
    rules.read(ROOT / ".importlinter", encoding="utf-8")
    layers = [
        [name.strip() for name in line.split("|")]
        for line in rules["importlinter:contract:layers"]["layers"].strip().splitlines()
    ]
    rows = ["| Layer | What it holds | May import |", "|---|---|---|"]
    for depth, names in enumerate(layers):
        below = [name for lower in layers[depth + 1 :] for name in lower]
        may = ", ".join(f"`{name}`" for name in below) or _pure(rules)
        rows += [f"| `{name}` | {HOLDS[name]} | {may} |" for name in names]
    rows.append(f"| `local` | {HOLDS['local']} | {_apart(rules)} |")
    return "\n".join(rows) + "\n"


def page() -> str:
    """Return docs/architecture.md with the table as the rules have it."""
    text = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n{table()}\n{END}", text, count=1)


def _pure(rules: configparser.ConfigParser) -> str:
    forbidden = rules["importlinter:contract:domain"]["forbidden_modules"].split()
    return "nothing of ours, and none of " + ", ".join(f"`{name}`" for name in forbidden)


def _apart(rules: configparser.ConfigParser) -> str:
    forbidden = rules["importlinter:contract:local"]["forbidden_modules"].split()
    return "nothing of " + " and ".join(f"`{name}`" for name in forbidden)


def main() -> int:
    """Write the page, or return 1 when it is not as the rules are."""
    if sys.argv[1:] == ["write"]:
        PAGE.write_text(page(), encoding="utf-8")
    elif page() != PAGE.read_text(encoding="utf-8"):
        print("docs/architecture.md: run tools/layers.py write")  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
