"""All processes of the stack as one: started together, watched, ended in order."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Collection, Sequence
from pathlib import Path

from local.stack.child import Child, Report
from local.stack.errors import CannotStartError
from local.stack.logs import rotate
from local.stack.parts import Part

ACTIONS = ("kill", "pause", "resume", "restart")

_SIGNALS = {
    "kill": signal.SIGKILL,
    "pause": signal.SIGSTOP,
    "resume": signal.SIGCONT,
    "restart": signal.SIGTERM,
}
_PHASE_GRACE_S = (1.0, 1.5, 1.0, 1.0)
_HOPELESS_FAILURES = 6


class Supervisor:
    """Owns the stack's processes, except the workers, which the host owns."""

    def __init__(self, parts: Sequence[Part], root: Path, logs: Path, report: Report) -> None:
        self._children = {part.name: Child(part, root, logs, report) for part in parts}
        self._logs = logs
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, names: Collection[str]) -> None:
        """Start the parts *names* at once."""
        for name in names:
            rotate(self._logs, name)
            task = asyncio.create_task(self._children[name].keep_alive(), name=name)
            self._tasks.append(task)

    async def stop(self) -> None:
        """End all parts, callers before what they call; at most 4.5 seconds in all."""
        for phase, grace_s in enumerate(_PHASE_GRACE_S):
            members = [child for child in self._children.values() if child.part.phase == phase]
            await asyncio.gather(*(child.end(grace_s) for child in members))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def kill(self) -> None:
        """Kill all parts at once."""
        for child in self._children.values():
            child.kill()

    def hopeless(self) -> str | None:
        """Return the name of a part that keeps ending right after its start, if there is one.

        A part that ends with the status `CANNOT_SERVE` says itself that no other try can succeed.
        """
        for name, child in self._children.items():
            if child.refuses or child.backoff.failures >= _HOPELESS_FAILURES:
                return name
        return None

    def check(self) -> None:
        """Raise what ended the watch over a part, if anything did.

        Raises:
            CannotStartError: A command could not be run at all.

        """
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                sentence = f"{task.get_name()} could not be started: {error}."
                raise CannotStartError(sentence) from error

    def processes(self) -> list[dict[str, object]]:
        """Return name, pid (None while it is down) and restarts of each part."""
        return [
            {"name": name, "pid": child.pid, "restarts": child.restarts}
            for name, child in self._children.items()
        ]

    def pid_of(self, name: str) -> int | None:
        """Return the id of the part *name*, or None while it is down."""
        return self._children[name].pid

    async def act(self, name: str, action: str) -> None:
        """Kill, pause, resume or restart the part *name*.

        Raises:
            KeyError: There is no such part or action.

        """
        child, number = self._children[name], _SIGNALS[action]
        if action == "restart":
            await child.restart()
        else:
            child.signal(number)


def signal_worker(pid: int, action: str) -> None:
    """Do *action* to a worker of the host, which starts it again when it ends.

    Raises:
        KeyError: There is no such action.

    """
    number = _SIGNALS[action]
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
