"""Keys in Redis that are not what they should be: one user's, and nobody else's trouble."""

import asyncio
import time

import pytest
import redis.asyncio as redis
from redis.exceptions import ReadOnlyError

from shared.adapters.redis import keys
from shared.adapters.redis.client import BrokenKeyError, RedisClient
from shared.adapters.redis.live_state import RedisLiveState
from shared.adapters.redis.users.presence import RedisPresenceStore
from shared.domain.errors import UnavailableError
from shared.domain.ids import ConnectionId
from shared.domain.people.presence import Presence
from shared.ports import Call
from tests.support.ports import free_port
from tests.unit.things import ANN, BOB, GROUP

pytestmark = pytest.mark.stack

LEASE_S = 1


async def test_a_broken_presence_does_not_keep_the_others_online(redis_url: str) -> None:
    async with redis.Redis.from_url(redis_url, protocol=2) as connection:
        await connection.flushall()
        client = RedisClient(lambda: connection)
        live = RedisLiveState(client, lease_s=LEASE_S)
        presence = RedisPresenceStore(client, lease_s=LEASE_S)
        await live.enter(Call(ANN, ConnectionId("phone")))
        await live.enter(Call(BOB, ConnectionId("tv")))
        await connection.set(keys.presence(ANN), "not a sorted set")

        gone: list[Presence] = []
        deadline = time.monotonic() + 10
        while not gone and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
            gone = await presence.lapse(limit=10)

        assert [one.user_id for one in gone] == [BOB]
        assert await presence.lapse(limit=10) == []
        assert await connection.zscore(keys.leases(keys.shard_of(ANN)), ANN) is None


async def test_a_redis_that_takes_no_writes_is_an_outage_and_no_broken_user(
    redis_url: str,
) -> None:
    async with redis.Redis.from_url(redis_url, protocol=2) as connection:
        await connection.flushall()
        client = RedisClient(lambda: connection)
        live = RedisLiveState(client, lease_s=LEASE_S)
        presence = RedisPresenceStore(client, lease_s=LEASE_S)
        await live.enter(Call(ANN, ConnectionId("phone")))
        await asyncio.sleep(LEASE_S + 0.1)

        await connection.replicaof("127.0.0.1", str(free_port()))
        try:
            with pytest.raises(ReadOnlyError):
                await connection.set("anything", "x")
            with pytest.raises(UnavailableError):
                await presence.lapse(limit=10)
        finally:
            await connection.replicaof("NO", "ONE")

        assert [one.user_id for one in await presence.lapse(limit=10)] == [ANN]


async def test_a_broken_conversation_is_no_outage_for_a_flush(redis_url: str) -> None:
    async with redis.Redis.from_url(redis_url, protocol=2) as connection:
        await connection.flushall()
        live = RedisLiveState(RedisClient(lambda: connection), lease_s=LEASE_S)
        await connection.set(keys.conversation(GROUP), "not a hash")

        with pytest.raises(BrokenKeyError):
            await live.snapshots([GROUP])
