"""What the real SDK is promised of partial updates: all operations or none, under a condition."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy, DatabaseProxy
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosHttpResponseError,
)

from tests.contract.cosmos.harness import (
    Account,
    new_container,
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


PATCHES: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
    ([{"op": "set", "path": "/n", "value": 7}], {"n": 7}),
    ([{"op": "set", "path": "/new", "value": {"a": 1}}], {"new": {"a": 1}}),
    ([{"op": "add", "path": "/list/0", "value": 0}], {"list": [0, 1, 2]}),
    ([{"op": "add", "path": "/list/-", "value": 3}], {"list": [1, 2, 3]}),
    ([{"op": "set", "path": "/list/0", "value": 9}], {"list": [9, 2]}),
    ([{"op": "replace", "path": "/map/a", "value": 2}], {"map": {"a": 2}}),
    ([{"op": "remove", "path": "/list/0"}], {"list": [2]}),
    ([{"op": "incr", "path": "/n", "value": -2}], {"n": -1}),
    ([{"op": "incr", "path": "/fresh", "value": 5}], {"fresh": 5}),
    ([{"op": "move", "from": "/map/a", "path": "/moved"}], {"moved": 1, "map": {}}),
    ([{"op": "add", "path": "/m", "value": {}}, {"op": "add", "path": "/m/x", "value": 1}],
     {"m": {"x": 1}}),
]  # fmt: skip


@pytest.mark.parametrize(("operations", "changes"), PATCHES)
async def test_a_patch_changes_what_it_names(
    container: ContainerProxy, operations: list[dict[str, Any]], changes: dict[str, Any]
) -> None:
    item = {"id": "p", "pk": "A", "n": 1, "list": [1, 2], "map": {"a": 1}}
    await container.create_item(item)

    patched = await container.patch_item("p", "A", operations)

    assert shown(patched) == {**item, **changes}
    assert patched == await container.read_item("p", "A")


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "replace", "path": "/none", "value": 1}],
        [{"op": "remove", "path": "/none"}],
        [{"op": "set", "path": "/none/deep", "value": 1}],
        [{"op": "incr", "path": "/text", "value": 1}],
        [{"op": "add", "path": "/list/9", "value": 1}],
        [{"op": "set", "path": "/id", "value": "2"}],
        [{"op": "set", "path": "/pk", "value": "B"}],
        [{"op": "set", "path": "/n", "value": 2}, {"op": "remove", "path": "/none"}],
        [{"op": "set", "path": f"/p{at}", "value": at} for at in range(11)],
    ],
)
async def test_a_patch_that_cannot_be_applied_changes_nothing(
    container: ContainerProxy, operations: list[dict[str, Any]]
) -> None:
    await container.create_item(ITEM)

    with pytest.raises(CosmosHttpResponseError) as refused:
        await container.patch_item("1", "A", operations)

    assert refused.value.status_code == 400
    assert shown(await container.read_item("1", "A")) == ITEM


async def test_a_patch_applies_only_where_its_condition_holds(container: ContainerProxy) -> None:
    await container.create_item(ITEM)
    raised = [{"op": "incr", "path": "/n", "value": 1}]

    await container.patch_item("1", "A", raised, filter_predicate="from c where c.n < 2")

    with pytest.raises(CosmosAccessConditionFailedError):
        await container.patch_item("1", "A", raised, filter_predicate="from c where c.n < 2")
    assert (await container.read_item("1", "A"))["n"] == 2.5
