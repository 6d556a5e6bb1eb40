"""What the real SDK is promised of transactional batches: all of it or nothing."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosBatchOperationError, CosmosHttpResponseError

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
async def container(account: Account) -> AsyncIterator[ContainerProxy]:
    async with account.databases() as database:
        yield await new_container(database, unique=["/email"])


def item(item_id: str, **more: Any) -> dict[str, Any]:
    return {"id": item_id, "pk": "A", "email": item_id, **more}


async def test_every_kind_of_operation_is_carried_out_in_order(container: ContainerProxy) -> None:
    await container.create_item(item("old", n=1))

    results = await container.execute_item_batch(
        [
            ("create", (item("new"),)),
            ("upsert", (item("new", n=2),)),
            ("patch", ("new", [{"op": "incr", "path": "/n", "value": 1}])),
            ("replace", ("old", item("old", n=9))),
            ("read", ("new",)),
            ("delete", ("old",)),
        ],
        partition_key="A",
    )

    assert [result["statusCode"] for result in results] == [201, 200, 200, 200, 200, 204]
    assert shown(results[4]["resourceBody"]) == item("new", n=3)
    assert results[4]["eTag"] == results[4]["resourceBody"]["_etag"]
    assert await rows(container, "SELECT VALUE c.id FROM c", "A") == ["new"]


async def test_a_batch_costs_the_sum_of_its_operations(container: ContainerProxy) -> None:
    results = await container.execute_item_batch(
        [("create", (item("1"),)), ("create", (item("2"),))], partition_key="A"
    )

    total = sum(result["requestCharge"] for result in results)
    assert charge(container) == pytest.approx(total, abs=0.05)


@pytest.mark.parametrize(
    ("failing", "status"),
    [
        (("create", (item("old"),)), 409),
        (("create", (item("other", email="old"),)), 409),
        (("read", ("none",)), 404),
        (("delete", ("none",)), 404),
        (("replace", ("old", item("old")), {"if_match_etag": '"stale"'}), 412),
        (("patch", ("old", [{"op": "remove", "path": "/none"}])), 400),
        (
            (
                "patch",
                ("old", [{"op": "set", "path": "/n", "value": 1}]),
                {"filter_predicate": "from c where c.n = 5"},
            ),
            412,
        ),
    ],
)
async def test_one_failure_undoes_the_whole_batch(
    container: ContainerProxy, failing: Any, status: int
) -> None:
    before = await container.create_item(item("old", n=0))

    with pytest.raises(CosmosBatchOperationError) as refused:
        await container.execute_item_batch(
            [
                ("create", (item("new"),)),
                ("patch", ("old", [{"op": "incr", "path": "/n", "value": 1}])),
                failing,
                ("create", (item("last"),)),
            ],
            partition_key="A",
        )

    assert refused.value.status_code == status
    assert refused.value.error_index == 2
    statuses = [result["statusCode"] for result in refused.value.operation_responses]
    assert statuses == [424, 424, status, 424]
    assert await rows(container, "SELECT VALUE c.id FROM c", "A") == ["old"]
    assert await container.read_item("old", "A") == before


async def test_a_failed_batch_leaves_nothing_in_the_change_feed(container: ContainerProxy) -> None:
    with pytest.raises(CosmosBatchOperationError):
        await container.execute_item_batch(
            [("create", (item("1"),)), ("read", ("none",))], partition_key="A"
        )
    await container.create_item(item("2"))

    changed = [one["id"] async for one in container.query_items_change_feed(start_time="Beginning")]

    assert changed == ["2"]


async def test_more_than_a_hundred_operations_are_refused(container: ContainerProxy) -> None:
    operations: list[Any] = [("create", (item(str(at)),)) for at in range(101)]

    await container.execute_item_batch(operations[:100], partition_key="A")

    with pytest.raises(CosmosHttpResponseError) as refused:
        await container.execute_item_batch(operations, partition_key="A")
    assert refused.value.status_code == 400
