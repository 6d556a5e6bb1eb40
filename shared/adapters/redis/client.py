"""One Redis connection pool: pipelines of plain commands and scripts, each one round trip."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError, ResponseError

from shared.adapters.redis.script import Script
from shared.domain.errors import UnavailableError

logger = logging.getLogger(__name__)

type Argument = str | int | float | bytes
type Command = tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """A script to run: how many keys it takes, the keys, then its arguments."""

    script: Script
    rest: Command

    def short(self) -> Command:
        return ("EVALSHA", self.script.sha, *self.rest)

    def full(self) -> Command:
        return ("EVAL", self.script.text, *self.rest)


type Entry = Command | ScriptCall


class BrokenKeyError(Exception):
    """A key holds another type than its users expect: no outage, and nothing passes by itself."""


_REST_S: Final = 1.0  # after a failure, calls fail at once for this long instead of each waiting
CONNECTIONS: Final = 64  # pipelines that are under way at once; a connection each
_WAIT_S: Final = 2.0  # for one of them, as long as for an answer


def call(script: Script, keys: Sequence[str], *arguments: Argument) -> ScriptCall:
    """Return the pipeline entry that runs *script*."""
    return ScriptCall(script, (len(keys), *keys, *arguments))


class RedisClient:
    """Runs pipelines. After a failure it rests for a second, so that a dead Redis costs no time.

    A worker that is asked for more pipelines at once than it has connections makes the rest wait,
    first come, first served. That Redis is busy says nothing against Redis: a call whose wait was
    too long is refused, but no rest begins, so it costs nobody else their answer.
    tests/contract/ports/test_redis_client.py proves it with 500 calls at once.

    Args:
        connect: Makes the connection pool; called once, at first use.
        wait_s: How long a call waits for a free connection, in seconds.
    """

    def __init__(self, connect: Callable[[], Redis], *, wait_s: float = _WAIT_S) -> None:
        self._connect = connect
        self._redis: Redis | None = None
        self._down_until = 0.0
        self._wait_s = wait_s
        self._slots = asyncio.Semaphore(CONNECTIONS)

    async def run(self, *entries: Entry) -> list[Any]:
        """Run *entries* in order in one round trip and return their answers.

        Raises:
            UnavailableError: Redis did not answer, or refused an entry; others may have run.
        """
        answers = await self.attempt(*entries)
        for answer in answers:
            if isinstance(answer, BrokenKeyError):
                raise _refused(answer)
        return answers

    async def attempt(self, *entries: Entry) -> list[Any]:
        """Run *entries* as `run` does; an entry whose key is broken has a BrokenKeyError as answer.

        Raises:
            UnavailableError: Redis did not answer, or refused an entry for another reason: it is
                full, say, or a replica. Others may have run.
        """
        self._fail_while_down()
        async with self._connection():
            self._fail_while_down()  # it may have failed for others during the wait
            try:
                short = [e.short() if isinstance(e, ScriptCall) else e for e in entries]
                answers = await self._pipeline(short)
                answers = await self._with_missing_scripts(entries, answers)
            except (RedisError, OSError, TimeoutError) as error:
                self._down_until = time.monotonic() + _REST_S
                logger.warning("redis failed: %s", type(error).__name__)
                raise UnavailableError("live state is not available") from error
        return [_checked(answer) for answer in answers]

    async def check(self) -> None:
        """Ask for a sign of life, even while resting; a good answer ends the rest."""
        async with self._connection():
            try:
                answer: Awaitable[bool] | bool = self._client().ping()
                if not isinstance(answer, bool):
                    await answer
            except (RedisError, OSError, TimeoutError) as error:
                raise UnavailableError("redis does not answer") from error
        self._down_until = 0.0

    async def aclose(self) -> None:
        """End the connections; the next call opens new ones."""
        redis, self._redis = self._redis, None
        if redis is not None:
            await redis.aclose()

    def _fail_while_down(self) -> None:
        if time.monotonic() < self._down_until:
            raise UnavailableError("live state is not available")

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[None]:
        # The pool itself would raise at once when it has no connection left, and in a way that is
        # hard to tell from an outage. So no caller asks it for more connections than it has.
        try:
            async with asyncio.timeout(self._wait_s):
                await self._slots.acquire()
        except TimeoutError:
            logger.warning("redis is busy: no connection came free")
            raise UnavailableError("live state is busy") from None
        try:
            yield
        finally:
            self._slots.release()

    async def _pipeline(self, commands: list[Command]) -> list[Any]:
        pipeline = self._client().pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return await pipeline.execute(raise_on_error=False)

    async def _with_missing_scripts(
        self, entries: Sequence[Entry], answers: list[Any]
    ) -> list[Any]:
        # A new or flushed Redis does not know the scripts: send those again with their text.
        missing = {
            i: entry.full()
            for i, entry in enumerate(entries)
            if isinstance(entry, ScriptCall) and isinstance(answers[i], NoScriptError)
        }
        if missing:
            repeated = await self._pipeline(list(missing.values()))
            for i, answer in zip(missing, repeated, strict=True):
                answers[i] = answer
        for answer in answers:
            if isinstance(answer, Exception) and not isinstance(answer, ResponseError):
                raise answer
        return answers

    def _client(self) -> Redis:
        if self._redis is None:
            self._redis = self._connect()
        return self._redis


def _checked[T](answer: T) -> T | BrokenKeyError:
    """Return *answer*, or in its place that its key is broken; raise any other refusal."""
    if not isinstance(answer, ResponseError):
        return answer
    if "WRONGTYPE" not in str(answer):
        raise _refused(answer)
    return BrokenKeyError(str(answer))


def _refused(why: Exception) -> UnavailableError:
    """Return the error of a Redis that answers, and so gives no reason to rest."""
    logger.warning("redis refused: %s", type(why).__name__)
    return UnavailableError("live state refused a step")
