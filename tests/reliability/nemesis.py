"""Carries out strikes against a running stack, and takes them back."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import aiohttp

from tests.reliability import stack_probe
from tests.reliability.disk import fill
from tests.reliability.history import Fault, History
from tests.reliability.schedule import EVERY_FAULT, FaultKind, Knob, RedisFault, Strike
from tests.stack import Stack, StackFailedError

_INSISTS_S = 30.0
_AGAIN_S = 0.2
_STARTS = 10


class Nemesis:
    """Makes a stack fail. Everything it does stands in the history; `relent` undoes it all."""

    def __init__(self, stack: Stack, session: aiohttp.ClientSession, history: History) -> None:
        self._stack = stack
        self._session = session
        self._history = history
        self._paused: set[str] = set()
        self._filling: Path | None = None
        self._remembered = Path()

    async def follow(self, strikes: Iterable[Strike]) -> None:
        """Carry out *strikes* at their times, counted from now."""
        begun = time.monotonic()
        for strike in strikes:
            await _sleep_until(begun + strike.at_s)
            await self.strike(strike.name, strike.until_s - strike.at_s)

    async def strike(self, name: str, lasts_s: float) -> None:
        """Do one fault for *lasts_s* seconds."""
        self._history.append(Fault(round(time.time() * 1000), name))
        fault = EVERY_FAULT[name]
        await self._begin(fault)
        await asyncio.sleep(lasts_s)
        await self._end(fault)

    async def relent(self) -> None:
        """Let everything work again."""
        for name in sorted(self._paused):
            await self._act(name, "resume")
        self._paused.clear()
        if self._filling is not None:
            self._filling.unlink(missing_ok=True)
            self._filling = None
        await _insist(lambda: self._call("DELETE", f"{self._stack.base_url}/dev/faults"))

    async def _begin(self, fault: FaultKind) -> None:
        for knob in fault.knobs:
            await self._arm(knob)
        await asyncio.sleep(fault.wait_s)
        if fault.redis:
            await self._redis(fault.redis)
        if fault.kill == "all":
            await self._kill_everything()
        elif fault.kill:
            await self._act(fault.kill, "kill")
        for name in fault.pause:
            self._paused.add(name)
            await self._act(name, "pause")
        if fault.fills:
            self._filling = await asyncio.to_thread(fill, self._stack.directory)

    async def _kill_everything(self) -> None:
        await asyncio.to_thread(self._stack.kill_all)
        for left in reversed(range(_STARTS)):
            try:
                await asyncio.to_thread(self._stack.start)
            except StackFailedError:
                # The kernel kills what the supervisor started, a moment later: a port is in use.
                if not left:
                    raise
                await asyncio.sleep(_AGAIN_S)
            else:
                return

    async def _end(self, fault: FaultKind) -> None:
        await self.relent()
        if fault.redis_after:
            await self._redis(fault.redis_after)

    async def _arm(self, knob: Knob) -> None:
        await _insist(lambda: self._call("POST", f"{self._stack.base_url}/dev/faults", knob))

    async def _act(self, name: str, action: str) -> None:
        await _insist(lambda: stack_probe.act(self._stack, name, action))

    async def _redis(self, fault: RedisFault) -> None:
        if fault == "remember":
            self._remembered = stack_probe.remembered(self._stack)
        elif fault == "rewind":
            await stack_probe.put_back(self._stack, self._remembered)
        else:
            async with stack_probe.redis(self._stack) as client:
                await client.flushall()

    async def _call(self, method: str, url: str, body: Any = None) -> None:
        async with self._session.request(method, url, json=body) as reply:
            reply.raise_for_status()


async def _insist(call: Callable[[], Awaitable[None]]) -> None:
    deadline = time.monotonic() + _INSISTS_S
    while True:
        try:
            await call()
        except (aiohttp.ClientError, TimeoutError):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(_AGAIN_S)
        else:
            return


async def _sleep_until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
