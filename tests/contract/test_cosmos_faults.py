"""The Cosmos DB stand-in made to fail: errors, delays, drops and lost replies."""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from azure.core.exceptions import AzureError
from azure.cosmos.aio import ContainerProxy, DatabaseProxy
from azure.cosmos.exceptions import CosmosHttpResponseError, CosmosResourceNotFoundError

from tests.contract.cosmos.harness import REAL, Account, new_container, running_account

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


@pytest.mark.parametrize("status", [408, 409, 412, 500])
async def test_an_error_can_be_injected(
    account: Account, container: ContainerProxy, status: int
) -> None:
    with (
        account.fault(service="cosmos", kind="error", status=status),
        pytest.raises(CosmosHttpResponseError) as refused,
    ):
        await container.create_item({"id": "1", "pk": "A"})

    assert refused.value.status_code == status
    with pytest.raises(CosmosResourceNotFoundError):
        await container.read_item("1", "A")


async def test_a_throttled_call_is_retried_by_the_sdk(
    account: Account, container: ContainerProxy
) -> None:
    with account.fault(service="cosmos", kind="error", status=429, count=2):
        await container.create_item({"id": "1", "pk": "A"})

    assert (await container.read_item("1", "A"))["id"] == "1"


async def test_a_fault_hits_only_the_operation_it_names(
    account: Account, container: ContainerProxy
) -> None:
    with account.fault(kind="error", status=409, operation="Create"):
        await container.read_item("warm", "A")
        with pytest.raises(CosmosHttpResponseError):
            await container.create_item({"id": "1", "pk": "A"})


@pytest.mark.parametrize(
    "fault", [{"kind": "drop"}, {"kind": "error", "status": 500}, {"kind": "error", "status": 408}]
)
async def test_a_reply_can_be_lost_after_the_write_was_made(
    account: Account, container: ContainerProxy, fault: dict[str, Any]
) -> None:
    with account.fault(**fault, when="after", operation="Create"), pytest.raises(AzureError):
        await container.create_item({"id": "1", "pk": "A"})

    assert (await container.read_item("1", "A"))["id"] == "1"


async def test_a_dropped_connection_carries_nothing_out(
    account: Account, container: ContainerProxy
) -> None:
    with account.fault(kind="drop", operation="Create"), pytest.raises(AzureError):
        await container.create_item({"id": "1", "pk": "A"})

    with pytest.raises(CosmosResourceNotFoundError):
        await container.read_item("1", "A")


async def test_a_delay_takes_its_time(account: Account, container: ContainerProxy) -> None:
    with account.fault(kind="delay", ms=300, count=1):
        begun = time.monotonic()
        await container.read_item("warm", "A")
        slow = time.monotonic() - begun

    assert slow >= 0.3
