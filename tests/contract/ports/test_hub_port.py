"""Groups and connections of the hub: the twin, and the service's REST API behind the adapter."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential

from shared.adapters.signalr.connections import SignalRConnections
from shared.config import Endpoint
from shared.domain.errors import UnavailableError
from shared.domain.events import ToConnection, ToUser
from shared.domain.ids import ConnectionId, UserId
from shared.ports import ConnectionHub
from tests.contract.signalr_client.harness import KEY, Stack, running
from tests.twins.hub import MemoryConnectionHub

NOBODY = ToConnection(ConnectionId("gone"))


@dataclass
class HubEnd:
    """One implementation, and what only the service can tell: who hears a group."""

    hub: ConnectionHub
    connect: Callable[[UserId], Awaitable[ToConnection]]
    hears: Callable[[ToConnection, str], Awaitable[bool]]
    break_down: Callable[[], Awaitable[None]]


@contextlib.asynccontextmanager
async def memory_end() -> AsyncIterator[HubEnd]:
    hub = MemoryConnectionHub()

    async def connect(user: UserId) -> ToConnection:
        connection = ConnectionId(uuid.uuid4().hex)
        hub.connect(user, connection)
        return ToConnection(connection)

    async def hears(who: ToConnection, group: str) -> bool:
        return who.connection_id in hub.audience(group)

    async def break_down() -> None:
        hub.link.down = True

    yield HubEnd(hub, connect, hears, break_down)


@contextlib.asynccontextmanager
async def service_end(directory: Path) -> AsyncIterator[HubEnd]:
    async with running(directory) as service:
        text = f"Endpoint={service.base};AccessKey={KEY};Version=1.0;"
        hub = SignalRConnections(Endpoint(text, "", ""), "chat", _no_credential)

        async def connect(user: UserId) -> ToConnection:
            return ToConnection(ConnectionId((await service.connect(user)).id))

        async def hears(who: ToConnection, group: str) -> bool:
            connection = service.service.hubs.get("chat").connections.get(who.connection_id)
            return connection is not None and group in connection.groups

        async def break_down() -> None:
            await service.arm(kind="error", status=500, where="rest", count=9)

        yield HubEnd(hub, connect, hears, break_down)
        await hub.aclose()


def _no_credential() -> AsyncTokenCredential:
    raise AssertionError("a connection string has a key")


@pytest.fixture(params=["memory", pytest.param("signalr", marks=pytest.mark.stack)])
async def end(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[HubEnd]:
    opened = memory_end() if request.param == "memory" else service_end(tmp_path)
    async with opened as made:
        yield made


async def test_a_user_hears_a_group_on_all_connections_now_and_later(end: HubEnd) -> None:
    ann = UserId("ann")
    before = await end.connect(ann)

    await end.hub.join(ToUser(ann), "g-1")
    after = await end.connect(ann)

    assert await end.hears(before, "g-1")
    assert await end.hears(after, "g-1")
    await end.hub.leave(ToUser(ann), "g-1")
    last = await end.connect(ann)
    assert [await end.hears(one, "g-1") for one in (before, after, last)] == [False] * 3


async def test_one_connection_joins_and_leaves_alone(end: HubEnd) -> None:
    one, other = await end.connect(UserId("ann")), await end.connect(UserId("ann"))

    await end.hub.join(one, "g-1")
    assert (await end.hears(one, "g-1"), await end.hears(other, "g-1")) == (True, False)
    await end.hub.leave(one, "g-1")

    assert not await end.hears(one, "g-1")


async def test_a_user_who_leaves_takes_along_the_connections_that_joined_alone(
    end: HubEnd,
) -> None:
    connection = await end.connect(UserId("ann"))
    await end.hub.join(connection, "g-1")

    await end.hub.leave(ToUser(UserId("ann")), "g-1")

    assert not await end.hears(connection, "g-1")


async def test_what_is_not_there_counts_as_done(end: HubEnd) -> None:
    nobody = ToUser(UserId("a@b:c..d"))

    for who in (NOBODY, nobody):
        await end.hub.leave(who, "presence:a@b")
        await end.hub.close(who, reason="out")
        await end.hub.join(who, "presence:a@b")


async def test_closed_connections_hear_nothing_more(end: HubEnd) -> None:
    first, second, third = [await end.connect(UserId(name)) for name in ("ann", "ann", "bob")]
    for one in (first, second, third):
        await end.hub.join(one, "g-1")

    await end.hub.close(ToUser(UserId("ann")), reason="too many & old")
    await end.hub.close(third, reason="too many")

    async with asyncio.timeout(15):
        for one in (first, second, third):
            while await end.hears(one, "g-1"):  # noqa: ASYNC110  # any end, asked again
                await asyncio.sleep(0.01)


async def test_a_service_that_fails_is_unavailable(end: HubEnd) -> None:
    await end.break_down()

    with pytest.raises(UnavailableError):
        await end.hub.leave(ToUser(UserId("ann")), "g-1")


async def test_a_service_that_is_not_there_or_refuses_the_key_is_unavailable(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as service:
        wrong = f"Endpoint={service.base};AccessKey={'x' * 44};Version=1.0;"
        for text in (wrong, f"Endpoint=http://127.0.0.1:9;AccessKey={KEY};Version=1.0;"):
            hub = SignalRConnections(Endpoint(text, "", ""), "chat", _no_credential)
            with pytest.raises(UnavailableError):
                await hub.join(ToUser(UserId("ann")), "g-1")
            await hub.aclose()


class _Identity:
    """Gives the token that the stand-in takes, as an identity in Azure gives its own."""

    def __init__(self, service: Stack) -> None:
        self.asked: list[str] = []
        self.service = service

    async def get_token(self, *scopes: str) -> AccessToken:
        self.asked += scopes
        return AccessToken("not a key's", 2**31)


async def test_without_a_key_the_app_shows_its_identity(tmp_path: Path) -> None:
    async with running(tmp_path) as service:
        identity = _Identity(service)
        credential = cast("AsyncTokenCredential", identity)
        hub = SignalRConnections(Endpoint("", service.base, ""), "chat", lambda: credential)
        with pytest.raises(UnavailableError):  # the stand-in of today takes keys alone
            await hub.join(ToUser(UserId("ann")), "g-1")
        await hub.aclose()

    assert identity.asked == ["https://signalr.azure.com/.default"]
