"""The people of a run: one Node process that holds their clients, driven over lines of JSON."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any, Self

from tests.reliability.history import KINDS, History, from_fields

_SCRIPT = Path(__file__).parent / "people.mjs"
_ANSWER_S = 60.0
_LINE_BYTES = 2**24  # what one client shows of a long conversation is one line


class BrokenError(AssertionError):
    """The process that holds the clients failed by itself: no verdict on the service."""


class Participants:
    """Sends commands, and appends what the clients tell to *history*."""

    def __init__(self, process: asyncio.subprocess.Process, history: History) -> None:
        self._process = process
        self._history = history
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reader = asyncio.create_task(self._read())
        self.broken: list[str] = []

    @classmethod
    async def gather(cls, base_url: str, history: History) -> Self:
        """Start the process."""
        process = await asyncio.create_subprocess_exec(
            "node",
            str(_SCRIPT),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PARLEY_URL": base_url},  # noqa: TID251  # handed on, not read
            limit=_LINE_BYTES,
        )
        return cls(process, history)

    def do(self, what: str, **fields: Any) -> None:
        """Give a command; what follows from it shows in the history."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **fields}).encode() + b"\n")

    async def ask(self, what: str) -> dict[str, Any]:
        """Give the command `state` or `show` and return the answer that ends it.

        Raises:
            BrokenError: The process failed, or does not answer.

        """
        self.do(what)
        try:
            answer = await asyncio.wait_for(self._answers.get(), _ANSWER_S)
        except TimeoutError:
            raise BrokenError(f"no answer to {what}; {self.broken}") from None
        if self.broken:
            raise BrokenError(self.broken[0])
        return answer

    async def part(self) -> None:
        """End the process."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            raw = json.loads(line)
            if raw["kind"] in KINDS:
                self._history.append(from_fields(raw))
            elif raw["kind"] == "broken":
                self.broken.append(raw["error"])
            else:
                self._answers.put_nowait(raw)
