"""Free ports for the servers that tests start.

Between the look and the server's start another process may look as well and be told the same. So
each block of ports is locked by a file for the life of the process that was given it: no two
processes of a machine share one. The blocks lie below the ports that the kernel hands out by
itself, so no client's own port stands in the way.
"""

import fcntl
import itertools
import os
import random
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

_LOWEST, _HIGHEST = 20_000, 32_000
_STEP = 16
_TRIES = 2_000

_locks: list[int] = []  # open descriptors: a lock lasts as long as its own is open
_singles: Iterator[int] = iter(())


def free_block(size: int = 12) -> int:
    """Return the first of *size* consecutive ports, at most 16, that nobody else is given.

    Raises:
        AssertionError: There is none.

    """
    assert size <= _STEP
    chance = random.Random()
    for _ in range(_TRIES):
        first = chance.randrange(_LOWEST, _HIGHEST, _STEP)
        if _lock(first) and all(_is_free(first + offset) for offset in range(size)):
            return first
    raise AssertionError("there is no free block of ports")


def free_port() -> int:
    """Return a port that nobody else is given."""
    global _singles  # noqa: PLW0603  # one block serves sixteen calls
    for port in _singles:
        if _is_free(port):
            return port
    first = free_block(1)
    _singles = itertools.islice(itertools.count(first + 1), _STEP - 1)
    return first


def _lock(first: int) -> bool:
    folder = Path(tempfile.gettempdir()) / f"parley-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    holder = os.open(folder / str(first), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(holder)
        return False
    _locks.append(holder)
    return True


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
