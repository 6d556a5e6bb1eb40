"""What the real SDK is promised of the change feed: everything, in order, from where one was."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosHttpResponseError

from tests.contract.cosmos.harness import REAL, Account, new_container, running_account

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running_account(tmp_path_factory.mktemp("cosmos")) as running:
        yield running


@pytest.fixture
async def container(account: Account) -> AsyncIterator[ContainerProxy]:
    async with account.databases() as database:
        yield await new_container(database, key=["/a", "/b"])


async def add(container: ContainerProxy, *ids: str, a: str = "x", b: int = 0) -> None:
    for item_id in ids:
        await container.upsert_item({"id": item_id, "a": a, "b": b})


async def read(container: ContainerProxy, **options: Any) -> tuple[list[str], str]:
    """Return the ids of the changes, and the place to go on from."""
    found = [item["id"] async for item in container.query_items_change_feed(**options)]
    return found, container.client_connection.last_response_headers["etag"]


async def test_from_the_beginning_every_item_shows_once_at_its_newest_change(
    container: ContainerProxy,
) -> None:
    await add(container, "1", "2", "3", "1")

    found, _ = await read(container, start_time="Beginning")

    assert found == ["2", "3", "1"]


async def test_from_a_continuation_only_what_is_new_shows(container: ContainerProxy) -> None:
    await add(container, "1", "2")
    _, place = await read(container, start_time="Beginning")

    nothing, place = await read(container, continuation=place)
    await add(container, "3", "1")
    news, place = await read(container, continuation=place)
    nothing_again, _ = await read(container, continuation=place)

    assert (nothing, news, nothing_again) == ([], ["3", "1"], [])


async def test_from_now_nothing_old_shows(container: ContainerProxy) -> None:
    await add(container, "1")

    nothing, place = await read(container, start_time="Now")
    await add(container, "2")
    news, _ = await read(container, continuation=place)

    assert (nothing, news) == ([], ["2"])


async def test_from_a_time_what_changed_since_shows(container: ContainerProxy) -> None:
    await add(container, "old")
    await asyncio.sleep(2)  # a start time counts whole seconds, so the old must lie well before
    start = datetime.now(UTC).replace(microsecond=0)
    await add(container, "new", "newer")

    found, _ = await read(container, start_time=start)

    assert found == ["new", "newer"]


async def test_pages_add_up_to_everything(container: ContainerProxy) -> None:
    ids = [str(at) for at in range(23)]
    await add(container, *ids)

    pages = container.query_items_change_feed(start_time="Beginning", max_item_count=5).by_page()
    paged = [[item["id"] async for item in page] async for page in pages]

    assert [item_id for page in paged for item_id in page] == ids
    assert max(map(len, paged)) == 5


async def test_a_partition_key_limits_the_feed(container: ContainerProxy) -> None:
    await add(container, "1", a="x", b=0)
    await add(container, "2", a="x", b=1)
    await add(container, "3", a="y", b=0)

    full, place = await read(container, start_time="Beginning", partition_key=["x", 1])
    await add(container, "4", a="y", b=1)
    await add(container, "5", a="x", b=1)
    news, _ = await read(container, continuation=place, partition_key=["x", 1])

    assert (full, news) == (["2"], ["5"])


async def test_the_feed_range_of_the_container_covers_it(container: ContainerProxy) -> None:
    await add(container, "1", "2")

    found: list[str] = []
    async for feed_range in container.read_feed_ranges():
        part, _ = await read(container, start_time="Beginning", feed_range=feed_range)
        found += part

    assert sorted(found) == ["1", "2"]


async def test_a_deletion_does_not_show_and_hides_nothing(container: ContainerProxy) -> None:
    await add(container, "1", "2")
    _, place = await read(container, start_time="Beginning")

    await container.delete_item("2", ["x", 0])
    await add(container, "3")
    news, _ = await read(container, continuation=place)
    everything, _ = await read(container, start_time="Beginning")

    assert (news, everything) == (["3"], ["1", "3"])


async def test_what_is_read_while_others_write_is_complete(container: ContainerProxy) -> None:
    ids = [str(at) for at in range(200)]
    writers = asyncio.gather(*(add(container, *ids[part::8]) for part in range(8)))

    found, place = await read(container, start_time="Beginning")
    while not writers.done():
        more, place = await read(container, continuation=place)
        found += more
    await writers
    rest, _ = await read(container, continuation=place)

    assert sorted(found + rest) == sorted(ids)


@pytest.mark.skipif(bool(REAL), reason="a real account may have it on")
async def test_the_feed_of_all_versions_is_refused(container: ContainerProxy) -> None:
    await add(container, "1")

    with pytest.raises(CosmosHttpResponseError) as refused:
        await read(container, mode="AllVersionsAndDeletes")

    assert refused.value.status_code == 400
    assert "stand-in" in refused.value.message
