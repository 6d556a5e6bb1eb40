"""One process of the stack, started again whenever it ends."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from local.common.process import CANNOT_SERVE
from local.stack.backoff import Backoff
from local.stack.logs import open_log
from local.stack.parts import Part

_PR_SET_PDEATHSIG = 1
_RESTART_GRACE_S = 2.0
# Somebody ended it: no sign that it cannot live.
_SENT = (-signal.SIGKILL, -signal.SIGTERM)

Report = Callable[[str, str], None]


class Child:
    """Keeps one part running until it is told to end."""

    def __init__(self, part: Part, root: Path, logs: Path, report: Report) -> None:
        self.part = part
        self.restarts = 0
        self.backoff = Backoff()
        self.refuses = False  # it ended last because it cannot serve what it was given
        self._root = root
        self._logs = logs
        self._report = report
        self._process: asyncio.subprocess.Process | None = None
        self._ending = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process's id, or None while there is none."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    async def keep_alive(self) -> None:
        """Start the process and start it again each time it ends, until `end` is called."""
        loop = asyncio.get_running_loop()
        while not self._ending.is_set():
            started = loop.time()
            self._process = await self._spawn()
            code = await self._process.wait()
            if self._ending.is_set():
                return
            self.restarts += 1
            self.refuses = code == CANNOT_SERVE
            pause = 0.0 if code in _SENT else self.backoff.pause_s(lived_s=loop.time() - started)
            self._report(self.part.name, f"{_how(code)}; {_when(pause)}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), pause or 0.001)

    def signal(self, number: signal.Signals) -> None:
        """Send *number* to the process, if there is one."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def restart(self) -> None:
        """End the process in good order, or by force after two seconds; it is started again."""
        process = self._process
        self._ask_to_end()
        if process is not None and not await _ended(process, _RESTART_GRACE_S):
            process.kill()

    async def end(self, grace_s: float) -> None:
        """End the process for good; by force after *grace_s* seconds."""
        self._ending.set()
        self._ask_to_end()
        if self._process is not None and not await _ended(self._process, grace_s):
            self.kill()

    def kill(self) -> None:
        """Kill the process for good, at once."""
        self._ending.set()
        self.signal(signal.SIGKILL)

    def _ask_to_end(self) -> None:
        self.signal(signal.SIGTERM)
        # A paused process acts on SIGTERM only once it goes on.
        self.signal(signal.SIGCONT)

    async def _spawn(self) -> asyncio.subprocess.Process:
        log = open_log(self._logs, self.part.name)
        try:
            return await asyncio.create_subprocess_exec(
                *self.part.command,
                cwd=self._root,
                env=dict(self.part.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C goes to the supervisor alone, which ends the parts in order.
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),
            )
        finally:
            os.close(log)


def _die_with(parent: int) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel knew
            os._exit(1)

    return ask_kernel


async def _ended(process: asyncio.subprocess.Process, within_s: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), within_s)
    return process.returncode is not None


def _how(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with status {code}"


def _when(pause_s: float) -> str:
    return "started again" if not pause_s else f"starting again in {pause_s:g} s"
