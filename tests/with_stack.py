"""`python -m tests.with_stack [NAME=VALUE ...] COMMAND ...`: run a command beside a fresh stack.

The command finds the front door in `PARLEY_URL`; the settings before it are the stack's. Its exit
status is this program's, and the stack and its data are gone afterwards.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.stack import StackFailedError, running_stack


def main(words: list[str]) -> int:
    """Run what *words* say; return the command's exit status."""
    count = next((i for i, word in enumerate(words) if "=" not in word), len(words))
    settings = dict(word.split("=", 1) for word in words[:count])
    if not words[count:]:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    with (
        tempfile.TemporaryDirectory(prefix="parley-") as directory,
        running_stack(Path(directory), settings) as stack,
    ):
        env = {**os.environ, "PARLEY_URL": stack.base_url}  # noqa: TID251
        return subprocess.run(words[count:], env=env, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except StackFailedError as error:
        sys.exit(str(error))
