"""The log file of each process: kept for two runs, bounded in size, watched for errors."""

import os
import re
import shutil
from pathlib import Path

_LIMIT_BYTES = 16 * 1024 * 1024
_READ_BYTES = 64 * 1024
_SERIOUS = re.compile(r"\b(ERROR|CRITICAL|FATAL)\b")


def log_path(directory: Path, name: str) -> Path:
    return directory / f"{name}.log"


def rotate(directory: Path, name: str) -> None:
    """Keep the log of the run before as `<name>.log.1` and begin a new one."""
    directory.mkdir(parents=True, exist_ok=True)
    path = log_path(directory, name)
    if path.exists() and path.stat().st_size:
        path.replace(path.with_suffix(".log.1"))
    path.touch(mode=0o600)


def open_log(directory: Path, name: str) -> int:
    """Return a descriptor that appends to the log, so that it may be cut while in use."""
    return os.open(log_path(directory, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def last_lines(directory: Path, name: str, count: int) -> list[str]:
    """Return the last *count* lines that say something."""
    path = log_path(directory, name)
    if not path.exists():
        return []
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - _READ_BYTES))
        text = log.read().decode("utf-8", "replace")
    return [line for line in text.splitlines() if line.strip()][-count:]


class LogWatch:
    """Reads on in one log, and cuts it when it has grown too large."""

    def __init__(self, directory: Path, name: str) -> None:
        self._path = log_path(directory, name)
        self._offset = 0

    def serious_lines(self) -> list[str]:
        """Return the lines written since the last call that speak of an error."""
        if not self._path.exists():
            return []
        size = self._path.stat().st_size
        if size > _LIMIT_BYTES:
            return self._cut()
        if size <= self._offset:
            self._offset = min(size, self._offset)
            return []
        with self._path.open("rb") as log:
            log.seek(max(self._offset, size - _READ_BYTES))
            text = log.read(size - log.tell()).decode("utf-8", "replace")
        self._offset = size
        return [line for line in text.splitlines() if _SERIOUS.search(line)]

    def _cut(self) -> list[str]:
        shutil.copyfile(self._path, self._path.with_suffix(".log.1"))
        os.truncate(self._path, 0)
        self._offset = 0
        return []
