"""Group memberships over the REST API alone: the stand-in, or a real service (see rest)."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.signalr_client.harness import Target, chosen_service

pytestmark = pytest.mark.stack


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Target]:
    async with chosen_service(tmp_path) as target:
        yield target


@pytest.fixture
def user() -> str:
    return f"user-{uuid.uuid4()}"


@pytest.fixture
def group() -> str:
    return f"group-{uuid.uuid4()}"


async def test_a_connection_joins_and_leaves_a_group(
    service: Target, user: str, group: str
) -> None:
    client = await service.connect(user)
    path = f"/groups/{group}/connections/{client.id}"

    added = await service.rest("PUT", path)
    await service.push(f"/groups/{group}", "in")
    removed = await service.rest("DELETE", path)
    await service.push(f"/groups/{group}", "out")
    await service.push(f"/users/{user}", "after")

    assert (added.status, removed.status) == (200, 200)
    assert (await client.receive())["arguments"] == ["in"]
    assert (await client.receive())["arguments"] == ["after"]


async def test_a_connection_leaves_all_groups(service: Target, user: str, group: str) -> None:
    client = await service.connect(user)
    await service.rest("PUT", f"/groups/{group}/connections/{client.id}")

    answer = await service.rest("DELETE", f"/connections/{client.id}/groups")

    assert answer.status == 200
    assert (await service.rest("HEAD", f"/groups/{group}")).status == 404


async def test_a_users_group_takes_present_and_future_connections(
    service: Target, user: str, group: str
) -> None:
    present = await service.connect(user)
    added = await service.rest("PUT", f"/users/{user}/groups/{group}")
    future = await service.connect(user)

    await service.push(f"/groups/{group}", 1)

    assert added.status == 200
    assert (await present.receive())["arguments"] == [1]
    assert (await future.receive())["arguments"] == [1]


async def test_a_ttl_of_nothing_takes_present_connections_only(
    service: Target, user: str, group: str
) -> None:
    present = await service.connect(user)
    await service.rest("PUT", f"/users/{user}/groups/{group}", ttl="0")
    future = await service.connect(user)

    await service.push(f"/groups/{group}", "group")
    await service.push(f"/users/{user}", "user")

    assert (await present.receive())["arguments"] == ["group"]
    assert (await future.receive())["arguments"] == ["user"]


async def test_a_ttl_of_nothing_leaves_a_stored_membership_alone(
    service: Target, user: str, group: str
) -> None:
    await service.rest("PUT", f"/users/{user}/groups/{group}")

    await service.rest("PUT", f"/users/{user}/groups/{group}", ttl="0")

    assert (await service.rest("HEAD", f"/users/{user}/groups/{group}")).status == 200


async def test_a_membership_of_a_connection_ends_with_it(
    service: Target, user: str, group: str
) -> None:
    client = await service.connect(user)
    await service.rest("PUT", f"/groups/{group}/connections/{client.id}")

    await service.rest("DELETE", f"/connections/{client.id}")

    assert (await service.rest("HEAD", f"/groups/{group}")).status == 404


@pytest.mark.parametrize("from_all", [False, True])
async def test_a_user_who_left_a_group_gets_nothing_from_it(
    service: Target, user: str, group: str, *, from_all: bool
) -> None:
    client = await service.connect(user)
    await service.rest("PUT", f"/users/{user}/groups/{group}")

    path = f"/users/{user}/groups" + ("" if from_all else f"/{group}")
    removed = await service.rest("DELETE", path)
    await service.push(f"/groups/{group}", "group")
    await service.push(f"/users/{user}", "user")

    assert removed.status == 204
    assert (await client.receive())["arguments"] == ["user"]
    assert (await service.rest("HEAD", f"/users/{user}/groups/{group}")).status == 404


async def test_only_the_latest_100_groups_of_a_user_are_kept(service: Target, user: str) -> None:
    present = await service.connect(user)
    for number in range(101):
        await service.rest("PUT", f"/users/{user}/groups/{user}-{number}")
    future = await service.connect(user)

    for number in (0, 1):
        await service.push(f"/groups/{user}-{number}", number)

    assert [(await present.receive())["arguments"] for _ in range(2)] == [[0], [1]]
    assert (await future.receive())["arguments"] == [1]
