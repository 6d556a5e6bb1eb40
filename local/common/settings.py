"""The three settings every local process reads, and the ports that follow from them."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Ports:
    """Every port of the stack, counted from the front door's."""

    front: int

    @property
    def host(self) -> int:
        return self.front + 1

    @property
    def signalr(self) -> int:
        return self.front + 2

    @property
    def cosmos(self) -> int:
        return self.front + 3

    @property
    def servicebus(self) -> int:
        return self.front + 4

    @property
    def redis(self) -> int:
        return self.front + 5

    @property
    def blob(self) -> int:
        return self.front + 6

    @property
    def servicebus_control(self) -> int:
        return self.front + 7

    @property
    def redis_server(self) -> int:
        """Where redis-server itself listens; the app goes through the fault proxy on `redis`."""
        return self.front + 8

    @property
    def blob_server(self) -> int:
        """Where Azurite itself listens; the app goes through the fault proxy on `blob`."""
        return self.front + 9

    @property
    def supervisor(self) -> int:
        return self.front + 10

    @property
    def proxy_control(self) -> int:
        return self.front + 11


def keep_private(directory: Path) -> None:
    """Make *directory*, and whatever this process makes from now on, its owner's alone."""
    os.umask(0o077)
    directory.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(PermissionError):  # another user's, who let us write there
        directory.chmod(0o700)


def take_from_others(directory: Path) -> None:
    """Take the leave to read *directory*, and all that an earlier run left there, from others."""
    for path in (directory, *directory.rglob("*")):
        with contextlib.suppress(OSError):  # gone meanwhile, or another user's
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & 0o700)


@dataclass(frozen=True, slots=True)
class LocalSettings:
    """Where the stack listens and where it keeps its state."""

    ports: Ports
    directory: Path

    @classmethod
    def from_env(cls, directory: Path | None = None) -> Self:
        """Read `PORT` (7071) and `CHAT_LOCAL_DIR` (*directory*), and make the directory.

        Without *directory* it is `.local` of the current one. From then on this process, and those
        it starts, make files for their owner alone.

        Raises:
            SystemExit: `PORT` is not a number from 1024 to 65000.

        """
        text = os.environ.get("PORT", "7071")  # noqa: TID251
        if not text.isdecimal() or not 1024 <= int(text) <= 65000:
            sentence = f"PORT must be a number from 1024 to 65000, not {text!r}"
            raise SystemExit(sentence)
        chosen = os.environ.get("CHAT_LOCAL_DIR")  # noqa: TID251
        directory = (Path(chosen) if chosen else directory or Path(".local")).resolve()
        keep_private(directory)
        return cls(ports=Ports(int(text)), directory=directory)
