"""Pictures: how large one is, and a small copy of it, decoded in a process of its own."""

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final, override

from shared.adapters.blob.image_structure import read_size
from shared.env import SettingsReader
from shared.ports import Images

logger = logging.getLogger(__name__)

_WALL_S: Final = 10.0  # its 5 s of CPU time, on a machine that does something else too
_START_S: Final = 20.0
_LENGTH_BYTES: Final = 4
_CHILD: Final = "shared.adapters.blob.image_child"


class PillowImages(Images):
    """Fulfils `Images`. Sizes are read here; decoding happens in a child that can be killed.

    A decoder cannot be interrupted: Pillow in a thread of the worker would run for as long as a
    picture makes it, and a fault of it would end the worker. So one child decodes, one picture at
    a time. It is started for the first picture and kept, for a start costs ten times what a picture
    does. The kernel kills one that takes more than 5 s of CPU time, this kills one that does not
    answer for 10 s: that picture has no small copy, and the next one gets a new child.

    The child ends when its input does, so it does not outlive a worker that was killed.

    Args:
        module: What the child runs.
    """

    def __init__(self, *, wall_s: float = _WALL_S, module: str = _CHILD) -> None:
        self._wall_s = wall_s
        self._module = module
        self._child: subprocess.Popen[bytes] | None = None
        # One thread: pictures wait here for their turn, and not in the loop's own threads, on
        # which every look-up of a host name depends.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="images")

    @override
    async def size(self, first_bytes: bytes) -> tuple[int, int] | None:
        return read_size(first_bytes)

    @override
    async def thumbnail(self, data: bytes) -> bytes | None:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._decoded, data)

    @property
    def child(self) -> subprocess.Popen[bytes] | None:
        """The process that decodes; None before the first picture and after a failure."""
        return self._child

    def close(self) -> None:
        """End the child, if there is one."""
        self._thread.shutdown()
        self._discard()

    async def aclose(self) -> None:
        """End the child, after the picture that it decodes now."""
        await asyncio.to_thread(self.close)

    def _decoded(self, data: bytes) -> bytes | None:
        try:
            child, is_new = self._living()
        except OSError:
            logger.exception("pictures: no process to decode them")
            return None
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            child.kill()

        watchdog = threading.Timer(self._wall_s + is_new * _START_S, expire)
        watchdog.start()
        try:
            small = _asked(child, data)
        except OSError:  # it died, by its limits or by the watchdog: the pipes broke
            small = None
            self._discard()
            size, code = len(data), child.returncode
            logger.warning("pictures: a decoder ended with %s at one of %d bytes", code, size)
        finally:
            watchdog.cancel()
            watchdog.join()
        if expired.is_set():  # as it answered
            self._discard()
        return small or None

    def _living(self) -> tuple[subprocess.Popen[bytes], bool]:
        if self._child is not None and self._child.poll() is None:
            return self._child, False
        self._discard()
        self._child = subprocess.Popen(  # noqa: S603  # ourselves, and no shell
            [sys.executable, "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        return self._child, True

    def _discard(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # the rest of the picture need not be written
                    pipe.close()
        child.wait()


def _asked(child: subprocess.Popen[bytes], data: bytes) -> bytes:
    """Return the child's answer to *data*.

    Raises:
        OSError: It ended before it answered.
    """
    if child.stdin is None or child.stdout is None:
        raise OSError("the child has no pipes")
    child.stdin.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
    child.stdin.flush()
    return _read(child, int.from_bytes(_read(child, _LENGTH_BYTES), "big"))


def _read(child: subprocess.Popen[bytes], count: int) -> bytes:
    data = child.stdout.read(count) if child.stdout else b""
    if len(data) < count:
        raise OSError("the child is gone")
    return data


def _environment() -> dict[str, str]:
    # What it takes to start Python as this one was, and nothing else: no setting, no secret.
    source = SettingsReader(None)
    kept = {name: source.text(name) for name in ("PATH", "LD_LIBRARY_PATH", "HOME")}
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {"PYTHONPATH": path, **{name: value for name, value in kept.items() if value}}
