"""Keys in Redis that are not what they should be: one user's, and nobody else's trouble."""

import asyncio
import time

import pytest
import redis.asyncio as redis

from shared.adapters import redis_keys as keys
from shared.adapters.redis_client import RedisClient
from shared.adapters.redis_live import RedisLiveState
from shared.adapters.redis_presence import RedisPresenceStore
from shared.adapters.system import SystemClock
from shared.domain.ids import ConnectionId
from shared.domain.live import Call
from shared.domain.presence import Presence
from tests.unit.things import ANN, BOB

pytestmark = pytest.mark.stack

LEASE_S = 1


async def test_a_broken_presence_does_not_keep_the_others_online(redis_url: str) -> None:
    async with redis.Redis.from_url(redis_url, protocol=2) as connection:
        await connection.flushall()
        client, clock = RedisClient(lambda: connection), SystemClock()
        live = RedisLiveState(client, clock, lease_s=LEASE_S)
        presence = RedisPresenceStore(client, clock, lease_s=LEASE_S)
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
