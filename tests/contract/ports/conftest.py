"""Services for the real ends, started for the first test that asks."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.contract.cosmos.harness import REAL, Account, running_account
from tests.contract.ports.bus import running_queue
from tests.contract.ports.ends import LiveEnd, memory_end, redis_end, running_redis
from tests.contract.ports.stores import Stores, cosmos_stores, memory_stores


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(scope="session")
def cosmos_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running_account(tmp_path_factory.mktemp("cosmos-ports")) as account:
        yield account


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.stack)])
async def end(request: pytest.FixtureRequest) -> AsyncIterator[LiveEnd]:
    if request.param == "memory":
        yield memory_end()
        return
    async with redis_end(request.getfixturevalue("redis_url")) as real:
        yield real


@pytest.fixture(params=["memory", pytest.param("cosmos", marks=pytest.mark.stack)])
async def stores(request: pytest.FixtureRequest) -> AsyncIterator[Stores]:
    if request.param == "memory":
        yield memory_stores()
        return
    if REAL:
        pytest.skip("the account has no database of the app's data model")
    async with cosmos_stores(request.getfixturevalue("cosmos_account")) as real:
        yield real


@pytest.fixture(scope="session")
def bus_connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_queue(tmp_path_factory.mktemp("servicebus-ports")) as connection:
        yield connection
