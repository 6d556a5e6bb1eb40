"""What must be true of the stack before and after an attack."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.attack.report import Result
from tests.stack import Stack


@dataclass
class Watch:
    """The stack as it was, to compare it with how it is."""

    stack: Stack
    processes: dict[str, dict[str, Any]]
    tracebacks: dict[Path, int]

    @classmethod
    async def begin(cls, stack: Stack) -> "Watch":
        return cls(stack, await stack.processes(), _tracebacks(stack.directory))

    async def end(self) -> Result:
        """Return whether all processes live on, health is good, and no log shows a traceback."""
        result = Result("the stack itself, after all attacks")
        await self.stack.healthy()
        now = await self.stack.processes()
        for name, process in self.processes.items():
            result.saw("alive" if now[name]["pid"] == process["pid"] else "restarted")
            result.require(now[name]["pid"] == process["pid"], f"{name} was restarted")
        for path, count in _tracebacks(self.stack.directory).items():
            more = count - self.tracebacks.get(path, 0)
            result.require(more == 0, f"{path.name} has {more} new tracebacks")
        return result


def _tracebacks(directory: Path) -> dict[Path, int]:
    """Return how many tracebacks each log of the stack holds."""
    logs = {path: path.read_text("utf-8", "replace") for path in directory.rglob("*.log")}
    assert logs, f"there are no logs in {directory}"
    return {path: text.count("Traceback (most recent") for path, text in logs.items()}
