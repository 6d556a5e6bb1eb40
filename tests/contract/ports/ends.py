"""Both ends of each port: the twin in memory, and the real adapter with a service behind it."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis.asyncio as redis
from azure.core.credentials_async import AsyncTokenCredential

from local.redis.command import redis_command
from shared.adapters.redis import keys
from shared.adapters.redis.accounts import RedisAccountStates
from shared.adapters.redis.client import RedisClient
from shared.adapters.redis.live_state import RedisLiveState
from shared.adapters.redis.users.notification_claims import RedisNotificationClaims
from shared.adapters.redis.users.presence import RedisPresenceStore
from shared.adapters.redis.users.uploads import RedisUploads
from shared.adapters.system import SystemClock
from shared.domain.conversations.conversation import Conversation
from shared.domain.ids import UserId
from shared.domain.messages.message import Message
from shared.domain.messages.receipt import Receipt
from shared.ports import (
    AccountStates,
    Clock,
    InboxEntry,
    LiveState,
    NotificationClaims,
    PresenceStore,
    UploadLedger,
)
from tests.support.ports import free_port
from tests.twins.accounts import MemoryAccountStates
from tests.twins.faulty_link import FaultyLink
from tests.twins.live import MemoryLiveState
from tests.twins.presence import MemoryNotificationClaims, MemoryPresenceStore
from tests.twins.redis_data import RedisTwin
from tests.twins.system import SettableClock
from tests.twins.uploads import MemoryUploads

DEADLINE_S = 30.0
LEASE_S = 1


@dataclass(frozen=True, slots=True)
class LiveEnd:
    """One implementation of the three ports that Redis fulfils.

    Args:
        lose: Lose everything.
        renew: Begin a new epoch with all that is there, as a restart of Redis does.
        published: What the website was told so far, as the texts or values the end keeps.
    """

    live: LiveState
    presence: PresenceStore
    marks: NotificationClaims
    accounts: AccountStates
    clock: Clock
    lose: Callable[[], Awaitable[None]]
    renew: Callable[[], Awaitable[None]]
    published: list[Any]
    uploads: UploadLedger

    async def seed(
        self,
        conversation: Conversation,
        newest: Message | None,
        receipts: Iterable[Receipt],
        *,
        flushed: int = 0,
    ) -> None:
        """Make a conversation known in the epoch that there is."""
        epoch = await self.live.epoch()
        await self.live.seed(conversation, newest, receipts, flushed=flushed, epoch=epoch)

    async def fill_inbox(self, user_id: UserId, entries: Iterable[InboxEntry]) -> None:
        """Fill an inbox in the epoch that there is."""
        epoch = await self.live.epoch()
        await self.live.begin_inbox(user_id, epoch=epoch)
        assert await self.live.fill_inbox(user_id, entries, epoch=epoch, complete=True)

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Let time pass until *condition* holds."""
        deadline = time.monotonic() + DEADLINE_S
        while not await condition():
            assert time.monotonic() < deadline, "waited in vain"
            if isinstance(self.clock, SettableClock):
                self.clock.advance(0.1)
            else:
                await asyncio.sleep(0.02)

    async def let_pass(self, seconds: float) -> None:
        end = self.clock.now() + timedelta(seconds=seconds)

        async def is_over() -> bool:
            return self.clock.now() > end

        await self.until(is_over)


def memory_end() -> LiveEnd:
    clock, link = SettableClock(), FaultyLink()
    twin = RedisTwin(clock, lease_s=LEASE_S)

    async def lose() -> None:
        twin.flush()

    async def renew() -> None:
        twin.restore(twin.snapshot())

    return LiveEnd(
        MemoryLiveState(twin, link=link),
        MemoryPresenceStore(twin, link=link),
        MemoryNotificationClaims(twin, link=link),
        MemoryAccountStates(twin, link=link),
        clock,
        lose,
        renew,
        twin.published,
        MemoryUploads(twin, link=link),
    )


@contextlib.contextmanager
def running_redis(directory: Path) -> Iterator[str]:
    """Start a redis-server of our own; give its URL."""
    port = free_port()
    process = subprocess.Popen(redis_command(port, directory), stdout=subprocess.DEVNULL)
    try:
        wait_until_listening(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def wait_until_listening(port: int) -> None:
    deadline = time.monotonic() + 2 * DEADLINE_S
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < deadline, f"nobody listens on {port}"
        time.sleep(0.02)


@contextlib.asynccontextmanager
async def redis_end(url: str) -> AsyncIterator[LiveEnd]:
    """Give the real adapters over an empty Redis."""
    async with redis.Redis.from_url(url, protocol=2) as connection:
        await connection.flushall()
        client, clock = RedisClient(lambda: connection), SystemClock()
        published: list[Any] = []
        async with connection.pubsub() as channel:
            await channel.subscribe("presence")
            listener = asyncio.create_task(_listen(channel, published))
            yield LiveEnd(
                RedisLiveState(client, lease_s=LEASE_S),
                RedisPresenceStore(client, lease_s=LEASE_S),
                RedisNotificationClaims(client),
                RedisAccountStates(client),
                clock,
                lambda: _flush(connection),
                lambda: _renew(connection),
                published,
                RedisUploads(client),
            )
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)


async def _flush(connection: redis.Redis) -> None:
    await connection.flushall()


async def _renew(connection: redis.Redis) -> None:
    # What names another process, or none, begins anew; `test_epoch_port.py` has other processes.
    await connection.hset(keys.epoch(), "run", "of another process")


async def _listen(channel: Any, published: list[Any]) -> None:
    while True:
        event = await channel.get_message(ignore_subscribe_messages=True, timeout=None)
        if event:
            published.append(event["data"])


def no_credential() -> AsyncTokenCredential:
    """Refuse: the stand-ins take connection strings."""
    raise AssertionError(sys._getframe().f_code.co_name)
