"""What the Cosmos DB stand-in is as a process: durable, guarded, counted, and made to fail."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from azure.core.exceptions import AzureError
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, DatabaseProxy
from azure.cosmos.exceptions import CosmosHttpResponseError, CosmosResourceNotFoundError

from local.common.model import PARLEY_MODEL
from tests.contract.cosmos.harness import REAL, Account, new_container, rows, running_account

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(bool(REAL), reason="a real account has no such faults"),
]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running_account(tmp_path_factory.mktemp("cosmos")) as running:
        yield running


@pytest.fixture
async def database(account: Account) -> AsyncIterator[DatabaseProxy]:
    async with account.databases(retry_total=0) as database:
        yield database


@pytest.fixture
async def container(database: DatabaseProxy) -> ContainerProxy:
    container = await new_container(database)
    await container.create_item({"id": "warm", "pk": "A"})
    return container


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    acknowledged: set[str] = set()

    async def write(container: ContainerProxy, part: int) -> None:
        for at in range(10_000):
            item_id = f"{part}-{at}"
            await container.create_item({"id": item_id, "pk": "A"}, no_response=True)
            acknowledged.add(item_id)

    with running_account(tmp_path) as account:
        async with account.databases(retry_total=0) as database:
            container = await new_container(database)
            writers = [asyncio.create_task(write(container, part)) for part in range(8)]
            await asyncio.to_thread(wait_until, lambda: len(acknowledged) >= 300)
            await asyncio.to_thread(account.kill_and_restart)
            for writer in writers:
                writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, AzureError):
                await asyncio.gather(*writers, return_exceptions=True)
            kept = set(acknowledged)
            name = container.id
        async with account.databases() as database:
            container = database.get_container_client(name)

            found = set(await rows(container, "SELECT VALUE c.id FROM c", "A"))
            changed = {
                item["id"]
                async for item in container.query_items_change_feed(start_time="Beginning")
            }

    assert kept <= found
    assert changed == found


async def test_a_position_in_the_change_feed_survives_a_restart(tmp_path: Path) -> None:
    with running_account(tmp_path) as account:
        async with account.databases() as database:
            container = await new_container(database)
            name = container.id
            for item_id in ("1", "2"):
                await container.create_item({"id": item_id, "pk": "A"})
            await container.delete_item("2", "A")
            [_ async for _ in container.query_items_change_feed(start_time="Beginning")]
            place = container.client_connection.last_response_headers["etag"]
        await asyncio.to_thread(account.kill_and_restart)
        async with account.databases() as database:
            container = database.get_container_client(name)
            await container.create_item({"id": "3", "pk": "A"})

            news = [
                item["id"] async for item in container.query_items_change_feed(continuation=place)
            ]

    assert news == ["3"]


async def test_the_containers_of_the_data_model_are_there(account: Account) -> None:
    model = json.loads(PARLEY_MODEL.read_text())

    async with account.client() as client:
        database = client.get_database_client(model["database"])
        found = {one["id"]: one async for one in database.list_containers()}

    assert found.keys() == {one["name"] for one in model["containers"]}
    for wanted in model["containers"]:
        for name in ("partitionKey", "uniqueKeyPolicy", "indexingPolicy"):
            assert name not in wanted or found[wanted["name"]][name] == wanted[name]


async def test_only_the_calls_of_the_app_count_as_its_own(
    account: Account, container: ContainerProxy
) -> None:
    before = account.metrics()

    await container.create_item({"id": "1", "pk": "A"})
    await rows(container, "SELECT * FROM c", "A")
    with pytest.raises(CosmosResourceNotFoundError):
        await container.read_item("none", "A")
    async with account.client(user_agent="functions-host 1") as host:
        link = host.get_database_client(account.database).get_container_client(container.id)
        [_ async for _ in link.query_items_change_feed(start_time="Beginning")]

    after = account.metrics()
    assert after["requests"] - before["requests"] == 3
    assert after["triggerRequests"] - before["triggerRequests"] >= 1
    assert after["requestUnits"] - before["requestUnits"] > 5
    assert after["operations"]["Create"] - before["operations"]["Create"] == 1


async def test_the_sdk_asks_for_ranges_twice_and_not_for_ever(account: Account) -> None:
    async with account.databases() as database:
        container = await new_container(database, key=["/a", "/b"])
        await container.create_item({"id": "1", "a": "x", "b": 0})
        before = account.metrics()

        for _ in range(5):
            await rows(container, "SELECT * FROM c", ["x"])
            [_ async for _ in container.query_items_change_feed(start_time="Beginning")]

    after = account.metrics()
    assert after["metadataRequests"] - before["metadataRequests"] <= 4
    assert after["operations"]["Query"] - before["operations"]["Query"] == 5
    assert after["operations"]["ChangeFeed"] - before["operations"]["ChangeFeed"] == 10


async def test_a_container_can_be_listed_changed_and_deleted(database: DatabaseProxy) -> None:
    container = await new_container(database)
    await container.create_item({"id": "1", "pk": "A"})

    await database.replace_container(container, PartitionKey(path="/pk"), default_ttl=1000)

    assert (await container.read())["defaultTtl"] == 1000
    assert container.id in [one["id"] async for one in database.list_containers()]
    assert await rows(container, "SELECT VALUE c.id FROM c", "A") == ["1"]
    with pytest.raises(CosmosHttpResponseError) as refused:
        await database.replace_container(container, PartitionKey(path="/other"))
    assert refused.value.status_code == 400
    await database.delete_container(container)
    with pytest.raises(CosmosResourceNotFoundError):
        await container.read()


async def test_a_path_indexed_later_is_ordered_as_one_indexed_from_the_start(
    database: DatabaseProxy,
) -> None:
    nothing: dict[str, Any] = {"includedPaths": [], "excludedPaths": [{"path": "/*"}]}
    container = await new_container(database, policy=nothing)
    for at, value in enumerate([2, True, "b", 1, None, "a", False]):
        await container.create_item({"id": str(at), "pk": "A", "v": value})

    policy: dict[str, Any] = {**nothing, "includedPaths": [{"path": "/v/?"}]}
    await database.replace_container(container, PartitionKey(path="/pk"), indexing_policy=policy)
    found = await rows(container, "SELECT VALUE c.v FROM c ORDER BY c.v", "A")

    assert found == [None, False, True, 1, 2, "a", "b"]


async def test_a_taken_port_ends_it_with_one_sentence(account: Account, tmp_path: Path) -> None:
    other = Account(account.endpoint, account.key, tmp_path)

    status, said = await asyncio.to_thread(other.run_to_its_end)

    assert status == 1
    assert account.endpoint.rsplit(":", 1)[1] in said
    assert "Traceback" not in said


async def test_it_is_small_when_idle(tmp_path: Path) -> None:
    with running_account(tmp_path) as account:
        resident_mb = psutil.Process(account.pid).memory_info().rss / 2**20

    assert resident_mb < 60
