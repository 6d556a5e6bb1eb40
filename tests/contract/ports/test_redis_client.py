"""The Redis client: one round trip, scripts it need not know, and no waiting for the dead."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from shared.adapters.redis import client as redis_client
from shared.adapters.redis.client import RedisClient, call
from shared.adapters.redis.connect import connect
from shared.adapters.redis.script import Script
from shared.config import Settings
from shared.domain.errors import UnavailableError
from tests.integration.services.world import ENV
from tests.support.ports import free_port

pytestmark = pytest.mark.stack

ECHO = Script("return {KEYS[1], ARGV[1]}")


@pytest.fixture
async def connection(redis_url: str) -> AsyncIterator[redis.Redis]:
    async with redis.Redis.from_url(redis_url, protocol=2) as opened:
        await opened.flushall()
        yield opened


async def test_commands_and_scripts_run_in_order(connection: redis.Redis) -> None:
    client = RedisClient(lambda: connection)

    answers = await client.run(("SET", "a", 1), call(ECHO, ("k",), "x"), ("GET", "a"))

    assert answers == [True, [b"k", b"x"], b"1"]


async def test_a_script_that_redis_forgot_is_sent_again(connection: redis.Redis) -> None:
    client = RedisClient(lambda: connection)
    await client.run(call(ECHO, ("k",), "x"))
    await connection.script_flush()

    assert await client.run(call(ECHO, ("k",), "y")) == [[b"k", b"y"]]


async def test_a_refused_command_is_no_reason_to_rest(
    connection: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_client, "_REST_S", 600.0)
    await connection.set("text", "x")
    client = RedisClient(lambda: connection)

    with pytest.raises(UnavailableError):
        await client.run(("INCR", "text"), ("SET", "after", 1))

    assert await client.run(("GET", "after")) == [b"1"]


async def test_after_an_outage_calls_fail_at_once_until_a_good_answer(
    connection: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_client, "_REST_S", 600.0)
    never = Retry(NoBackoff(), 0)
    async with redis.Redis.from_url(redis_url, socket_timeout=0.05, retry=never) as impatient:
        client = RedisClient(lambda: impatient)
        await client.run(("PING",))
        await connection.client_pause(200)
        with pytest.raises(UnavailableError):
            await client.run(("SET", "late", 1))
        await connection.client_unpause()
        await connection.delete("late")

        with pytest.raises(UnavailableError):
            await client.run(("SET", "late", 2))
        assert await connection.get("late") is None
        await client.check()

        assert await client.run(("PING",)) == [True]


async def test_a_redis_that_is_not_there_is_unavailable() -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    async with redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as nowhere:
        client = RedisClient(lambda: nowhere)

        with pytest.raises(UnavailableError):
            await client.check()
        with pytest.raises(UnavailableError):
            await client.run(("PING",))


async def test_settings_say_where_redis_is(redis_url: str) -> None:
    settings = Settings.from_env({**ENV, "CHAT_REDIS_URL": redis_url})

    async with connect(settings) as opened:
        assert await RedisClient(lambda: opened).run(("PING",)) == [True]


async def test_five_hundred_calls_at_once_are_all_answered(redis_url: str) -> None:
    settings = Settings.from_env({**ENV, "CHAT_REDIS_URL": redis_url})
    async with connect(settings) as opened:
        client = RedisClient(lambda: opened, wait_s=60)

        answers = await asyncio.gather(
            *(client.run(("ECHO", n), call(ECHO, ("k",), n)) for n in range(500))
        )

        assert answers == [[b"%d" % n, [b"k", b"%d" % n]] for n in range(500)]
        assert len(await opened.client_list()) <= redis_client.CONNECTIONS


async def test_a_wait_that_was_too_long_is_no_outage(
    connection: redis.Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_client, "_REST_S", 600.0)
    monkeypatch.setattr(redis_client, "CONNECTIONS", 1)
    async with redis.Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0)) as opened:
        client = RedisClient(lambda: opened, wait_s=0.05)
        await connection.client_pause(60_000, all=False)  # writes alone
        holder = asyncio.create_task(client.run(("SET", "held", 1)))
        await asyncio.sleep(0)

        with pytest.raises(UnavailableError):
            await client.run(("PING",))
        with pytest.raises(UnavailableError):
            await client.check()
        await connection.client_unpause()

        assert await holder == [True]
        assert await client.run(("PING",)) == [True]
