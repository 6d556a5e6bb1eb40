"""What the real SDK is promised of queries: scopes, order, pages, functions, refusals."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy, DatabaseProxy
from azure.cosmos.exceptions import CosmosHttpResponseError

from tests.contract.cosmos.harness import (
    MESSAGES_POLICY,
    Account,
    charge,
    new_container,
    rows,
    running_account,
)

pytestmark = pytest.mark.stack

RANGE = (
    "SELECT VALUE c.sequence FROM c WHERE c.sequence >= @a AND c.sequence < @b ORDER BY c.sequence"
)
NEWEST = "SELECT TOP 1 VALUE c.sequence FROM c ORDER BY c.sequence DESC"
ORIGINAL = "SELECT VALUE c.sequence FROM c WHERE c.sender = @sender AND c.client = @client"


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


async def messages(database: DatabaseProxy, *, per_bucket: int, count: int) -> ContainerProxy:
    container = await new_container(
        database, key=["/c", "/bucket"], unique=["/sender", "/client"], policy=MESSAGES_POLICY
    )
    for first in range(1, count + 1, 100):
        for bucket in {(n - 1) // per_bucket for n in range(first, min(first + 100, count + 1))}:
            numbers = [
                n
                for n in range(first, min(first + 100, count + 1))
                if (n - 1) // per_bucket == bucket
            ]
            await container.execute_item_batch(
                [("create", (message(n, bucket),)) for n in numbers], partition_key=["c", bucket]
            )
    return container


def message(number: int, bucket: int) -> dict[str, Any]:
    return {
        "id": f"{number:08d}",
        "c": "c",
        "bucket": bucket,
        "sequence": number,
        "sender": f"s{number % 2}",
        "client": f"m{number}",
        "body": "hello " * 20,
    }


async def test_the_queries_of_the_app_see_what_they_should(database: DatabaseProxy) -> None:
    container = await messages(database, per_bucket=20, count=50)

    assert await rows(container, RANGE, ["c", 1], a=22, b=25) == [22, 23, 24]
    assert await rows(container, f"{RANGE} DESC", ["c", 1], a=38, b=99) == [40, 39, 38]
    assert await rows(container, NEWEST, ["c", 2]) == [50]
    assert await rows(container, NEWEST, ["c", 3]) == []
    assert await rows(container, ORIGINAL, ["c", 0], sender="s1", client="m7") == [7]
    assert await rows(container, ORIGINAL, ["c", 1], sender="s1", client="m7") == []


async def test_a_key_prefix_reaches_every_partition_under_it(database: DatabaseProxy) -> None:
    container = await messages(database, per_bucket=20, count=50)
    await container.create_item({**message(7, 0), "c": "other"})

    found = await rows(container, ORIGINAL, ["c"], sender="s1", client="m7")
    either = await rows(
        container, f"{ORIGINAL} OR c.sequence = @n", ["c"], sender="s1", client="m7", n=45
    )

    assert found == [7]
    assert sorted(either) == [7, 45]
    assert len(await rows(container, "SELECT VALUE c.id FROM c", ["c"])) == 50
    assert len(await rows(container, "SELECT VALUE c.id FROM c")) == 51


async def test_pages_hold_each_item_once_while_others_are_added(database: DatabaseProxy) -> None:
    container = await messages(database, per_bucket=100, count=25)
    pages = container.query_items(
        "SELECT * FROM c", partition_key=["c", 0], max_item_count=10
    ).by_page()

    first = [item["sequence"] async for item in await anext(pages)]
    token = pages.continuation_token  # type: ignore[attr-defined]
    await container.create_item(message(26, 0))
    resumed = container.query_items(
        "SELECT * FROM c", partition_key=["c", 0], max_item_count=10
    ).by_page(token)
    rest = [item["sequence"] async for page in resumed async for item in page]

    assert len(first) == 10
    assert sorted(first + rest) == list(range(1, 27))


@pytest.mark.parametrize("key", [["c", 0], ["c"], None])
async def test_pages_add_up_to_the_whole_result(
    database: DatabaseProxy, key: list[Any] | None
) -> None:
    container = await messages(database, per_bucket=30, count=23)
    scope: dict[str, Any] = {} if key is None else {"partition_key": key}
    for text in (
        "SELECT VALUE c.sequence FROM c",
        "SELECT VALUE c.sequence FROM c ORDER BY c.sequence",
        "SELECT VALUE c.sequence FROM c ORDER BY c.sequence DESC",
        "SELECT VALUE c.sequence FROM c WHERE c.sequence > 3 ORDER BY c.sequence DESC",
        "SELECT TOP 20 VALUE c.sequence FROM c ORDER BY c.sequence",
        "SELECT DISTINCT VALUE c.sequence FROM c",
    ):
        whole = await rows(container, text, key)

        pages = container.query_items(text, max_item_count=4, **scope).by_page()
        paged = [[row async for row in page] async for page in pages]

        assert [row for page in paged for row in page] == whole, text
        assert max(map(len, paged)) == 4, text


async def test_read_all_items_gives_every_item(container: ContainerProxy) -> None:
    for at in range(7):
        await container.create_item({"id": str(at), "pk": str(at % 2)})

    found = [item["id"] async for item in container.read_all_items(max_item_count=3)]

    assert sorted(found) == list("0123456")


async def test_read_items_gives_the_ones_that_exist_in_order(container: ContainerProxy) -> None:
    for at in range(5):
        await container.create_item({"id": str(at), "pk": f"k{at}"})

    found = await container.read_items([("3", "k3"), ("1", "k1"), ("none", "k1"), ("1", "k2")])

    assert [item["id"] for item in found] == ["3", "1"]


async def test_items_are_found_by_ids_that_are_their_own_keys(database: DatabaseProxy) -> None:
    container = await new_container(database, key="/id")
    for at in range(5):
        await container.create_item({"id": f"u{at}"})

    by_list = await rows(container, "SELECT VALUE c.id FROM c WHERE c.id IN ('u1', 'u3', 'x')")
    by_either = await rows(container, "SELECT VALUE c.id FROM c WHERE c.id = 'x' OR c.id = 'u4'")

    assert sorted(by_list) == ["u1", "u3"]
    assert by_either == ["u4"]


async def test_values_of_all_types_are_ordered_by_type(container: ContainerProxy) -> None:
    values: list[Any] = ["b", 2, None, True, "a", False, -1.5]
    for at, value in enumerate(values):
        await container.create_item({"id": str(at), "pk": "A", "v": value})
    await container.create_item({"id": "absent", "pk": "A"})
    simple = "SELECT VALUE c.v FROM c WHERE IS_DEFINED(c.v) ORDER BY c.v"

    rising = await rows(container, simple, "A")
    falling = await rows(container, f"{simple} DESC", "A")

    assert rising == [None, False, True, -1.5, 2, "a", "b"]
    assert falling == rising[::-1]


async def test_a_container_whose_index_is_the_root_can_be_written(database: DatabaseProxy) -> None:
    policy = {"includedPaths": [{"path": "/"}], "excludedPaths": [{"path": "/*"}]}
    container = await new_container(database, policy=policy)

    await container.create_item({"id": "1", "pk": "A"})

    assert await rows(container, "SELECT VALUE c.id FROM c", "A") == ["1"]


async def test_order_by_a_path_that_is_not_indexed_is_refused(database: DatabaseProxy) -> None:
    container = await messages(database, per_bucket=30, count=2)

    with pytest.raises(CosmosHttpResponseError) as refused:
        await rows(container, "SELECT * FROM c ORDER BY c.body", ["c", 0])

    assert refused.value.status_code == 400


@pytest.mark.parametrize(
    "text",
    [
        "SELEC * FROM c",
        "SELECT * FROM c WHERE",
        "SELECT * FROM c WHERE c.a ==",
        "SELECT c.value FROM c",
        "SELECT NOSUCH(c.a) FROM c",
        "SELECT * FROM c WHERE x.a = 1",
        "SELECT VALUE IS_DEFINED(c.a, c.b) FROM c",
        "SELECT * FROM c WHERE c.a = 'open",
        "",
    ],
)
async def test_a_query_that_is_wrong_is_a_400(container: ContainerProxy, text: str) -> None:
    await container.create_item({"id": "1", "pk": "A"})

    with pytest.raises((CosmosHttpResponseError, ValueError)) as refused:
        await rows(container, text or " ", "A")

    assert getattr(refused.value, "status_code", 400) == 400


async def test_a_filter_the_index_does_not_serve_costs_what_it_reads(
    database: DatabaseProxy,
) -> None:
    container = await messages(database, per_bucket=200, count=100)

    await rows(container, "SELECT * FROM c WHERE c.sequence = 7", ["c", 0])
    by_index = charge(container)
    await rows(container, "SELECT * FROM c WHERE c.body = 'none'", ["c", 0])
    by_scan = charge(container)

    assert by_index < by_scan
