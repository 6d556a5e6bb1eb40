"""A disk of a stack's own, small, in memory: one that can be filled without harm to anybody."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

_MB = 1024 * 1024
_PIECE = bytes(_MB)
_REFUSED = "no disk of its own can be mounted here: that needs root"


class NoDiskError(Exception):
    """A disk cannot be mounted on this machine; the text says why."""


@contextlib.contextmanager
def small_disk(directory: Path, size: int = 96 * _MB) -> Iterator[Path]:
    """Mount a disk of *size* bytes, in memory, on *directory*, and take it away again.

    Raises:
        NoDiskError: This machine does not allow it.

    """
    directory.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "parley-test", str(directory)]
    try:
        done = subprocess.run(command, check=False, capture_output=True)
    except OSError as error:
        raise NoDiskError(_REFUSED) from error
    if done.returncode != 0:
        raise NoDiskError(_REFUSED)
    try:
        yield directory
    finally:
        # Lazily: what has just ended may not have let go of its files yet.
        subprocess.run(["umount", "-l", str(directory)], check=True)


@contextlib.contextmanager
def disk_or_not(directory: Path, size: int = 1024 * _MB) -> Iterator[bool]:
    """Mount a disk on *directory* if this machine allows it, and say whether it did."""
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(small_disk(directory, size))
        except NoDiskError:
            yield False
        else:
            yield True


def fill(directory: Path) -> Path:
    """Fill the disk that is mounted on *directory*; return the file to delete afterwards.

    Raises:
        AssertionError: No disk of its own is mounted there.

    """
    assert directory.is_mount(), f"{directory} is no disk of its own, and is not filled"
    path = directory / "filling"
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(_PIECE) == len(_PIECE):
            pass
    return path
