"""`make capacity`: write docs/capacity.md and its pictures from the model.

python -m bench.capacity [--measured FILE] [--out DIRECTORY]
"""

import argparse
import sys
from pathlib import Path

from bench.capacity import report
from bench.capacity.components import World
from bench.capacity.sources import HERE, LATEST, Inputs, Measured, NotMeasuredError, Offers, Prices

_DOCS = HERE.parents[1] / "docs"


def main(arguments: list[str]) -> int:
    """Return 0 when the document is written, 1 when nothing was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.capacity")
    parser.add_argument("--measured", type=Path, default=LATEST, help="results of make bench")
    parser.add_argument("--out", type=Path, default=_DOCS, help="where capacity.md is written")
    options = parser.parse_args(arguments)
    try:
        measured = Measured.load(options.measured)
    except NotMeasuredError as error:
        sys.stderr.write(f"capacity: {error}\n")
        return 1
    world = World(Inputs.load(), Prices.load(), Offers.load(), measured)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "capacity.md").write_text(report.page(world), encoding="utf-8")
    for name, picture in report.charts(world).items():
        (options.out / name).write_text(picture, encoding="utf-8")
    sys.stdout.write(report.by_users(world))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
