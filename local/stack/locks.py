"""Refuse to start where another stack runs: on its ports, or on its data."""

import errno
import fcntl
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from local.stack.errors import CannotStartError


def require_free(ports: Mapping[int, str]) -> None:
    """Return if nobody listens on any of *ports*.

    Raises:
        CannotStartError: One is taken; the text names it and what it is for.

    """
    for port, purpose in ports.items():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As the servers do: a connection of the last run that still lingers is no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise CannotStartError(_sentence(port, purpose, error)) from error


def lock(directory: Path) -> int:
    """Take *directory* for this process's life; return the descriptor that holds it.

    Raises:
        CannotStartError: Another stack keeps its data there.

    """
    holder = os.open(directory / "stack.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        pid = os.read(holder, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(holder)
        sentence = (
            f"another stack (process {pid}) keeps its data in {directory}: "
            "stop it, or set CHAT_LOCAL_DIR to another directory."
        )
        raise CannotStartError(sentence) from error
    os.ftruncate(holder, 0)
    os.write(holder, f"{os.getpid()}\n".encode("ascii"))
    return holder


def _sentence(port: int, purpose: str, error: OSError) -> str:
    if error.errno != errno.EADDRINUSE:
        return f"port {port} ({purpose}) cannot be used: {error.strerror}."
    return (
        f"port {port} ({purpose}) is taken: end what uses it, "
        "or set PORT to the first of twelve free ports, as in `PORT=8071 make run`."
    )
