"""The fault proxy before a real redis-server, driven by redis-py."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError, ResponseError

from tests.proxy_harness import Faults, Services, faults_of, running_services

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with running_services(tmp_path_factory.mktemp("proxy")) as started:
        yield started


@pytest.fixture
async def faults(services: Services) -> AsyncIterator[Faults]:
    async with faults_of(services) as armed:
        yield armed


@pytest.fixture
async def client(services: Services) -> AsyncIterator[redis.Redis]:
    url = f"redis://127.0.0.1:{services.ports.redis}/0"
    async with redis.from_url(url, retry=Retry(NoBackoff(), 0)) as opened:
        await opened.flushdb()
        yield opened


async def test_what_is_stored_comes_back_whole(client: redis.Redis) -> None:
    big = secrets.token_bytes(3_000_000)

    await client.set("big", big)

    assert await client.get("big") == big


async def test_a_long_pipeline_is_answered_in_order(client: redis.Redis) -> None:
    async with client.pipeline(transaction=True) as pipe:
        for number in range(500):
            pipe.execute_command("RPUSH", "list", number)
        pipe.execute_command("LRANGE", "list", 0, -1)

        *lengths, listed = await pipe.execute()

    assert lengths == list(range(1, 501))
    assert listed == [str(number).encode() for number in range(500)]


async def test_a_published_message_passes(client: redis.Redis) -> None:
    async with client.pubsub() as channel:
        await channel.subscribe("presence")
        await channel.get_message(timeout=5)

        await client.publish("presence", b"online")
        message = await channel.get_message(timeout=5)

    assert message is not None
    assert message["data"] == b"online"


async def test_an_error_is_answered_in_the_protocol_and_the_command_not_carried_out(
    client: redis.Redis, faults: Faults
) -> None:
    await faults.arm("redis", kind="error", count=1)

    with pytest.raises(ResponseError, match="injected fault"):
        await client.set("a", 1)

    assert await client.get("a") is None


async def test_a_pipeline_that_meets_an_error_leaves_its_connection_usable(
    client: redis.Redis, faults: Faults
) -> None:
    await faults.arm("redis", kind="error", count=1)
    async with client.pipeline(transaction=False) as pipe:
        for number in range(3):
            pipe.execute_command("SET", f"key{number}", number)
        answers = await pipe.execute(raise_on_error=False)

    assert [type(answer) for answer in answers] == [ResponseError] * 3
    assert await client.set("after", 1)


async def test_status_503_reads_as_a_server_that_is_loading(
    client: redis.Redis, faults: Faults
) -> None:
    await faults.arm("redis", kind="error", status=503, count=1)

    with pytest.raises(BusyLoadingError):
        await client.get("a")


async def test_a_delay_is_waited_for_and_order_kept(client: redis.Redis, faults: Faults) -> None:
    await faults.arm("redis", kind="delay", ms=150, count=2)
    begun = time.monotonic()

    await client.set("a", 1)
    await client.set("a", 2)

    assert time.monotonic() - begun >= 0.3
    assert await client.get("a") == b"2"


async def test_a_large_value_survives_a_delay(client: redis.Redis, faults: Faults) -> None:
    await faults.arm("redis", kind="delay", ms=1)
    big = secrets.token_bytes(500_000)

    await asyncio.gather(*(client.set(f"big{number}", big) for number in range(4)))

    assert await client.mget([f"big{number}" for number in range(4)]) == [big] * 4


async def test_a_drop_closes_the_connection_and_the_next_one_works(
    client: redis.Redis, faults: Faults
) -> None:
    await client.ping()
    await faults.arm("redis", kind="drop", count=1)

    with pytest.raises(RedisError):
        await client.ping()

    assert await client.ping()


async def test_an_endless_drop_refuses_everybody_until_it_is_cleared(
    client: redis.Redis, faults: Faults
) -> None:
    await client.ping()
    await faults.arm("redis", kind="drop")

    for _ in range(3):
        with pytest.raises(RedisError):
            await client.ping()
    await faults.clear()

    assert await client.ping()


@pytest.mark.parametrize(
    ("service", "asked", "expected"),
    [("redis", {"kind": "explode"}, 400), ("redis", {}, 400), ("mongo", {"kind": "drop"}, 404)],
)
async def test_a_fault_that_makes_no_sense_is_refused(
    faults: Faults, service: str, asked: dict[str, str], expected: int
) -> None:
    assert await faults.arm(service, **asked) == expected
