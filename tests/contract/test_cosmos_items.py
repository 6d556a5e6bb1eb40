"""What the real SDK is promised of single items: keys, etags, patches, limits, time to live."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.cosmos import CosmosClient as SyncClient
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, DatabaseProxy
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from tests.contract.cosmos.harness import (
    Account,
    charge,
    new_container,
    rows,
    running_account,
    shown,
)

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running_account(tmp_path_factory.mktemp("cosmos")) as running:
        yield running


@pytest.fixture
async def database(account: Account) -> AsyncIterator[DatabaseProxy]:
    async with account.databases() as database:
        yield database


@pytest.fixture
async def container(database: DatabaseProxy) -> ContainerProxy:
    return await new_container(database)


ITEM: dict[str, Any] = {"id": "1", "pk": "A", "text": "é \u2028 😀", "n": 1.5, "list": [1, None]}


async def test_an_item_comes_back_as_it_was_written(container: ContainerProxy) -> None:
    await container.create_item(ITEM)

    found = await container.read_item("1", "A")

    assert shown(found) == ITEM
    assert {"_rid", "_self", "_etag", "_ts"} <= found.keys()
    assert abs(found["_ts"] - time.time()) < 60


async def test_a_second_item_with_the_same_id_and_key_is_refused(container: ContainerProxy) -> None:
    await container.create_item(ITEM)

    with pytest.raises(CosmosResourceExistsError):
        await container.create_item({**ITEM, "text": "other"})

    await container.create_item({**ITEM, "pk": "B"})
    assert (await container.read_item("1", "A"))["text"] == ITEM["text"]


async def test_a_missing_item_is_a_404_with_no_substatus(container: ContainerProxy) -> None:
    with pytest.raises(CosmosResourceNotFoundError) as refused:
        await container.read_item("none", "A")

    assert refused.value.sub_status in {None, 0}


async def test_an_item_of_a_missing_container_is_a_404_with_substatus_1003(
    database: DatabaseProxy,
) -> None:
    missing = database.get_container_client("none")

    with pytest.raises(CosmosResourceNotFoundError) as refused:
        await missing.create_item({"id": "1", "pk": "A"})

    assert refused.value.sub_status in {0, 1003}


async def test_an_unchanged_item_is_not_sent_again(container: ContainerProxy) -> None:
    created = await container.create_item(ITEM)

    unchanged = await container.read_item(
        "1", "A", etag=created["_etag"], match_condition=MatchConditions.IfModified
    )

    assert shown(unchanged) == {}


async def test_a_replace_needs_the_etag_it_names(container: ContainerProxy) -> None:
    created = await container.create_item(ITEM)
    guard = {"etag": created["_etag"], "match_condition": MatchConditions.IfNotModified}

    replaced = await container.replace_item("1", {**ITEM, "n": 2}, **guard)

    assert replaced["n"] == 2
    assert replaced["_etag"] != created["_etag"]
    with pytest.raises(CosmosAccessConditionFailedError):
        await container.replace_item("1", {**ITEM, "n": 3}, **guard)
    assert (await container.read_item("1", "A"))["n"] == 2


async def test_one_of_many_who_replace_the_same_version_wins(container: ContainerProxy) -> None:
    created = await container.create_item(ITEM)
    guard = {"etag": created["_etag"], "match_condition": MatchConditions.IfNotModified}

    outcomes = await asyncio.gather(
        *(container.replace_item("1", {**ITEM, "n": n}, **guard) for n in range(10)),
        return_exceptions=True,
    )

    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1


async def test_a_replace_of_a_missing_item_is_a_404(container: ContainerProxy) -> None:
    with pytest.raises(CosmosResourceNotFoundError):
        await container.replace_item("1", ITEM)


async def test_an_upsert_inserts_and_then_replaces(container: ContainerProxy) -> None:
    first = await container.upsert_item(ITEM)
    second = await container.upsert_item({**ITEM, "n": 9})

    assert first["_rid"] == second["_rid"]
    assert (await container.read_item("1", "A"))["n"] == 9


async def test_a_deleted_item_is_gone_and_its_id_free(container: ContainerProxy) -> None:
    before = await container.create_item(ITEM)

    await container.delete_item("1", "A")

    with pytest.raises(CosmosResourceNotFoundError):
        await container.delete_item("1", "A")
    assert (await container.create_item(ITEM))["_etag"] != before["_etag"]


async def test_a_write_can_be_answered_without_the_item(container: ContainerProxy) -> None:
    answer = await container.create_item(ITEM, no_response=True)

    assert not answer
    assert shown(await container.read_item("1", "A")) == ITEM


async def test_a_unique_key_holds_within_one_full_hierarchical_key(database: DatabaseProxy) -> None:
    container = await new_container(
        database, key=["/conversation", "/bucket"], unique=["/sender", "/client"]
    )
    message = {"id": "1", "conversation": "c", "bucket": 0, "sender": "s", "client": "m"}
    await container.create_item(message)

    with pytest.raises(CosmosResourceExistsError):
        await container.create_item({**message, "id": "2"})

    await container.create_item({**message, "id": "2", "bucket": 1})
    await container.create_item({**message, "id": "3", "client": "n"})
    with pytest.raises(CosmosResourceExistsError):
        await container.upsert_item({**message, "id": "3"})


async def test_an_absent_unique_value_counts_as_a_value(database: DatabaseProxy) -> None:
    container = await new_container(database, unique=["/email"])
    await container.create_item({"id": "1", "pk": "A"})

    with pytest.raises(CosmosResourceExistsError):
        await container.create_item({"id": "2", "pk": "A"})


@pytest.mark.parametrize("key", [None, "", "ключ 😀", 0, 7, 1.5, -1e300, True, False])
async def test_a_partition_key_may_be_any_scalar(container: ContainerProxy, key: Any) -> None:
    item = {"id": "1", "pk": key, "tag": "x"}
    await container.create_item(item)

    found = await container.read_item("1", key)

    assert shown(found) == item
    assert await rows(container, "SELECT VALUE c.tag FROM c WHERE c.id = '1'", key) == ["x"]


async def test_an_item_without_its_partition_key_has_a_partition_of_its_own(
    container: ContainerProxy,
) -> None:
    await container.create_item({"id": "1"})
    await container.create_item({"id": "1", "pk": None})

    assert await rows(container, "SELECT VALUE IS_DEFINED(c.pk) FROM c") in (
        [False, True],
        [True, False],
    )


@pytest.mark.parametrize("item_id", ["a b", "ä", "😀", "100%", "a+b", "x" * 255, "..."])
async def test_an_id_may_hold_any_letters(container: ContainerProxy, item_id: str) -> None:
    await container.create_item({"id": item_id, "pk": "A"})

    found = await container.read_item(item_id, "A")

    assert found["id"] == item_id


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_an_item_above_two_megabytes_is_refused(container: ContainerProxy) -> None:
    await container.create_item({"id": "1", "pk": "A", "data": "x" * 1_900_000})

    with pytest.raises(CosmosHttpResponseError) as refused:
        await container.create_item({"id": "2", "pk": "A", "data": "x" * 2_200_000})

    assert refused.value.status_code == 413


async def test_items_live_as_long_as_the_container_or_they_say(database: DatabaseProxy) -> None:
    container = await new_container(database, ttl=1, unique=["/email"])
    await container.create_item({"id": "short", "pk": "A", "email": "a"})
    await container.create_item({"id": "long", "pk": "A", "email": "b", "ttl": -1})
    await container.create_item({"id": "own", "pk": "A", "email": "c", "ttl": 1000})

    deadline = time.monotonic() + 10
    while "short" in await rows(container, "SELECT VALUE c.id FROM c", "A"):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)

    assert await rows(container, "SELECT VALUE c.id FROM c", "A") == ["long", "own"]
    with pytest.raises(CosmosResourceNotFoundError):
        await container.read_item("short", "A")
    await container.create_item({"id": "again", "pk": "A", "email": "a"})


async def test_a_larger_item_and_more_indexed_values_cost_more(database: DatabaseProxy) -> None:
    every = await new_container(database)
    none = await new_container(
        database,
        policy={
            "indexingMode": "consistent",
            "includedPaths": [],
            "excludedPaths": [{"path": "/*"}],
        },
    )
    item = {"id": "1", "pk": "A", **{f"p{at}": at for at in range(50)}}

    await every.create_item(item)
    indexed = charge(every)
    await none.create_item(item)
    plain = charge(none)
    await none.create_item({**item, "id": "2", "data": "x" * 100_000})
    large = charge(none)
    await none.replace_item("1", {**item, "p0": 1})
    replaced = charge(none)
    await none.read_item("1", "A")
    read = charge(none)

    assert read < plain < indexed
    assert plain < replaced
    assert plain < large


def test_the_sync_client_works_as_well(account: Account) -> None:
    with SyncClient(account.endpoint, account.key) as client:
        database = client.create_database_if_not_exists(account.database)
        container = database.create_container_if_not_exists("sync", PartitionKey(path="/pk"))
        container.upsert_item({"id": "1", "pk": "A"})

        found = list(container.query_items("SELECT VALUE c.id FROM c", partition_key="A"))
        changed = list(container.query_items_change_feed(start_time="Beginning"))

    assert found == ["1"]
    assert [item["id"] for item in changed] == ["1"]
