"""Carries out strikes against a running stack, and takes them back."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import aiohttp
from redis.asyncio import Redis

from tests.reliability.history import Fault, History
from tests.reliability.schedule import DEEDS, Deed, Knob, RedisDeed, Strike
from tests.stack import Stack

_INSISTS_S = 30.0
_AGAIN_S = 0.2


class Nemesis:
    """Makes a stack fail. Everything it does stands in the history; `relent` undoes it all."""

    def __init__(self, stack: Stack, session: aiohttp.ClientSession, history: History) -> None:
        self._stack = stack
        self._session = session
        self._history = history
        self._paused: set[str] = set()
        self._remembered: dict[bytes, tuple[bytes, int]] = {}

    async def follow(self, strikes: Iterable[Strike]) -> None:
        """Carry out *strikes* at their times, counted from now."""
        begun = time.monotonic()
        for strike in strikes:
            await _sleep_until(begun + strike.at_s)
            await self.strike(strike.name, strike.until_s - strike.at_s)

    async def strike(self, name: str, lasts_s: float) -> None:
        """Do one deed for *lasts_s* seconds."""
        self._history.append(Fault(round(time.time() * 1000), name))
        deed = DEEDS[name]
        await self._begin(deed)
        await asyncio.sleep(lasts_s)
        await self._end(deed)

    async def relent(self) -> None:
        """Let everything work again."""
        for name in sorted(self._paused):
            await self._act(name, "resume")
        self._paused.clear()
        await _insist(lambda: self._call("DELETE", f"{self._stack.base_url}/dev/faults"))

    async def _begin(self, deed: Deed) -> None:
        for knob in deed.knobs:
            await self._arm(knob)
        await asyncio.sleep(deed.wait_s)
        if deed.redis:
            await self._redis(deed.redis)
        if deed.kill:
            await self._act(deed.kill, "kill")
        if deed.pause:
            self._paused.add(deed.pause)
            await self._act(deed.pause, "pause")

    async def _end(self, deed: Deed) -> None:
        await self.relent()
        if deed.redis_after:
            await self._redis(deed.redis_after)

    async def _arm(self, knob: Knob) -> None:
        await _insist(lambda: self._call("POST", f"{self._stack.base_url}/dev/faults", knob))

    async def _act(self, name: str, action: str) -> None:
        # The supervisor's own port: the front door may be what is down.
        supervisor = f"http://127.0.0.1:{self._stack.ports.supervisor}"
        await _insist(lambda: self._call("POST", f"{supervisor}/processes/{name}/{action}"))

    async def _redis(self, deed: RedisDeed) -> None:
        redis = Redis(host="127.0.0.1", port=self._stack.ports.redis_server)
        try:
            if deed == "remember":
                dumped = [(key, *await _dumped(redis, key)) async for key in _keys(redis)]
                # None is what lapsed while it was read.
                self._remembered = {key: (value, ttl) for key, value, ttl in dumped if value}
            else:
                await redis.flushall()
            if deed == "rewind":
                for key, (value, ttl_ms) in self._remembered.items():
                    await redis.restore(key, max(0, ttl_ms), value, replace=True)
        finally:
            await redis.aclose()

    async def _call(self, method: str, url: str, body: Any = None) -> None:
        async with self._session.request(method, url, json=body) as reply:
            reply.raise_for_status()


async def _keys(redis: Redis) -> Any:
    async for key in redis.scan_iter(count=1000):
        yield key


async def _dumped(redis: Redis, key: bytes) -> tuple[bytes | None, int]:
    return await redis.dump(key), await redis.pttl(key)


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
