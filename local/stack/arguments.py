"""The command line: `python -m local [--app PATH [--model FILE] [--settings]]`."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Arguments:
    """What to run; without an app it is Parley.

    Args:
        app: The directory of another team's function app.
        model: The file that declares the app's data.
        shows_settings: Only print the settings the app gets.

    """

    app: Path | None = None
    model: Path | None = None
    shows_settings: bool = False

    @classmethod
    def parse(cls) -> Self:
        """Read the command line.

        Raises:
            SystemExit: It cannot be understood: status 2 and the usage.

        """
        parser = argparse.ArgumentParser(
            prog="python -m local",
            description="Azure on one machine: Parley, or the function app in PATH.",
        )
        parser.add_argument("--app", type=Path, metavar="PATH", help="the app, instead of Parley")
        parser.add_argument(
            "--model",
            type=Path,
            metavar="FILE",
            help="what must exist before the app starts (default: PATH/local.model.json)",
        )
        parser.add_argument(
            "--settings",
            action="store_true",
            help="print the app's settings, connection strings included, and end",
        )
        parsed = parser.parse_args()
        if parsed.app is None and (parsed.model or parsed.settings):
            parser.error("--model and --settings need --app")
        return cls(parsed.app and parsed.app.resolve(), parsed.model, parsed.settings)
