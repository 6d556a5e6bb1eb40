"""`python -m tests.attack [--url URL --directory DIR] [--short] [--report FILE]`: attack a stack.

Without `--url` it starts a stack of its own, in a directory that it deletes. With it, it attacks
the stack that runs there (`make run`), whose data lie in `--directory`. It attacks 127.0.0.1 alone.
Exit status: 0 when everything held, 1 when an attack found something.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.attack import report
from tests.attack.suite import LONG, SHORT, Size, attacks
from tests.stack import Stack, running_stack


def main() -> int:
    """Attack, print each result as it comes, write the report; return the exit status."""
    asked = _arguments()
    size = SHORT if asked.short else LONG
    with _stack(asked.url, asked.directory) as stack:
        results = asyncio.Runner().run(_attack(stack, size))
    report.write(results, asked.report)
    print(report.text_of(results))  # noqa: T201  # the tool's output
    return 0 if all(result.held for result in results) else 1


async def _attack(stack: Stack, size: Size) -> list[report.Result]:
    results = []
    async for result in attacks(stack, size):
        results.append(result)
        print(f"  {result.name}: {'held' if result.held else 'FOUND'}", file=sys.stderr, flush=True)  # noqa: T201
    return results


@contextmanager
def _stack(url: str, directory: Path) -> Iterator[Stack]:
    if url:
        parts = urlsplit(url)
        if parts.hostname != "127.0.0.1" or parts.port is None:
            raise SystemExit("--url: only a stack on 127.0.0.1 is attacked")
        yield Stack(directory, parts.port, {})
        return
    with (
        tempfile.TemporaryDirectory(prefix="parley-attack-") as made,
        running_stack(Path(made)) as stack,
    ):
        yield stack


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--url", default="", help="the front door of a running stack")
    parser.add_argument("--directory", type=Path, default=Path(".local"), help="its data")
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--report", type=Path, default=Path("dist/attack.json"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
