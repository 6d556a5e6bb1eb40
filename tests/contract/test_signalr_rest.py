"""The REST API, over the wire alone: the stand-in, or a real service in serverless mode.

A real one is used when `CHAT_TEST_SIGNALR_CONNECTION` holds its connection string.
"""

import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from local.signalr.tokens import sign
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


async def test_sending_to_nobody_is_accepted(service: Target, user: str, group: str) -> None:
    paths = [f"/users/{user}", f"/groups/{group}", "/connections/nobody"]

    statuses = [await service.push(path, "lost") for path in paths]

    assert statuses == [202, 202, 202]


async def test_what_was_sent_to_nobody_is_not_delivered_later(service: Target, user: str) -> None:
    await service.push(f"/users/{user}", "lost")
    client = await service.connect(user)

    await service.push(f"/users/{user}", "seen")

    assert (await client.receive())["arguments"] == ["seen"]


@pytest.mark.parametrize(
    "body",
    [
        {"Target": "news", "Arguments": [1, {"a": None}]},
        {"target": "news", "arguments": [1, {"a": None}]},
    ],
    ids=["PascalCase", "camelCase"],
)
async def test_a_message_is_delivered_as_an_invocation_without_an_id(
    service: Target, user: str, body: dict[str, object]
) -> None:
    client = await service.connect(user)

    answer = await service.rest("POST", f"/users/{user}/:send", body)

    assert answer.status == 202
    assert await client.receive() == {
        "type": 1,
        "target": "news",
        "arguments": [1, {"a": None}],
    }


async def test_every_connection_of_a_user_gets_a_user_message(service: Target, user: str) -> None:
    clients = [await service.connect(user), await service.connect(user)]

    await service.push(f"/users/{user}", 1)

    assert [(await client.receive())["arguments"] for client in clients] == [[1], [1]]


async def test_excluded_connections_get_nothing(service: Target, user: str, group: str) -> None:
    left_out, other = await service.connect(user), await service.connect(user)
    await service.rest("PUT", f"/users/{user}/groups/{group}")

    await service.push(f"/groups/{group}", "first", excluded=left_out.id)
    await service.push(f"/groups/{group}", "second")

    assert (await left_out.receive())["arguments"] == ["second"]
    assert (await other.receive())["arguments"] == ["first"]


async def test_existence_is_told_by_status_and_code(service: Target, user: str, group: str) -> None:
    client = await service.connect(user)
    await service.rest("PUT", f"/users/{user}/groups/{group}")
    there = [
        f"/connections/{client.id}",
        f"/users/{user}",
        f"/groups/{group}",
        f"/users/{user}/groups/{group}",
    ]
    absent = {
        "/connections/none": "Warning.Connection.NotExisted",
        f"/users/no-{user}": "Warning.User.NotExisted",
        f"/groups/no-{group}": "Warning.Group.NotExisted",
        f"/users/{user}/groups/no-{group}": "Info.User.NotInGroup",
    }

    found = [(await service.rest("HEAD", path)).status for path in there]
    missing = {path: await service.rest("HEAD", path) for path in absent}

    assert found == [200] * 4
    assert {each.status for each in missing.values()} == {404}
    assert {path: each.code for path, each in missing.items()} == absent


async def test_an_absent_connection_is_refused_with_a_code(service: Target, group: str) -> None:
    added = await service.rest("PUT", f"/groups/{group}/connections/none")
    closed = await service.rest("DELETE", "/connections/none")

    assert (added.status, added.code) == (404, "Error.Connection.NotExisted")
    assert (closed.status, closed.code) == (404, "Warning.Connection.NotExisted")


async def test_closing_a_connection_ends_it_with_the_reason(service: Target, user: str) -> None:
    client = await service.connect(user)

    answer = await service.rest("DELETE", f"/connections/{client.id}", reason="banned")
    last = await client.closed()

    assert answer.status == 200
    assert last == [{"type": 7, "error": "banned", "allowReconnect": True}]
    assert (await service.rest("HEAD", f"/users/{user}")).status == 404


@pytest.mark.parametrize("where", ["users", "groups", "hub"])
async def test_closing_many_spares_the_excluded(
    service: Target, user: str, group: str, where: str
) -> None:
    gone, spared = await service.connect(user), await service.connect(user)
    await service.rest("PUT", f"/users/{user}/groups/{group}")
    path = {"users": f"/users/{user}", "groups": f"/groups/{group}", "hub": ""}[where]

    answer = await service.rest("POST", f"{path}/:closeConnections", excluded=spared.id)
    await gone.closed()
    await service.push(f"/users/{user}", "still here")

    assert answer.status == 204
    assert (await spared.receive())["arguments"] == ["still here"]


async def test_a_generated_token_connects(service: Target, user: str) -> None:
    answer = await service.rest(
        "POST",
        "/:generateToken",
        userId=user,
        minutesToExpire="5",
        **{"api-version": "2022-11-01"},
    )

    negotiated = await service.negotiate(json.loads(answer.body)["token"])

    assert answer.status == 200
    assert negotiated.status == 200


async def test_health_needs_no_token(service: Target) -> None:
    url = f"{service.base}/api/health?api-version=2022-06-01"

    async with service.http.head(url) as response:
        status = response.status

    assert status == 200


async def test_a_token_that_proves_nothing_is_refused(service: Target, user: str) -> None:
    url = f"{service.base}/api/hubs/{service.hub}/:send"
    soon = int(time.time()) + 60
    head, body, _ = sign({"aud": url, "exp": soon}, service.key).split(".")
    tokens = {
        "none": "",
        "junk": "a.b.c",
        "unsigned": f"{head}.{body}.",
        "another key": sign({"aud": url, "exp": soon}, "another key"),
        "expired": sign({"aud": url, "exp": 1}, service.key),
        "without expiry": sign({"aud": url}, service.key),
        "another call's": sign({"aud": f"{url}s", "exp": soon}, service.key),
        "a client's": service.token(user),
    }

    statuses = {
        name: (await service.rest("POST", "/:send", {"target": "a"}, token=token)).status
        for name, token in tokens.items()
    }

    assert statuses == dict.fromkeys(tokens, 401)


@pytest.mark.parametrize("suffix", ["", "?api-version=2022-06-01", "/"])
async def test_the_audience_may_leave_out_the_query(service: Target, suffix: str) -> None:
    url = f"{service.base}/api/hubs/{service.hub}/:send"
    token = sign({"aud": url + suffix, "exp": int(time.time()) + 60}, service.key)

    answer = await service.rest("POST", "/:send", {"target": "a"}, token=token)

    assert answer.status == 202


async def test_a_message_of_more_than_a_megabyte_is_refused(service: Target, user: str) -> None:
    with contextlib.suppress(aiohttp.ClientConnectionError):
        assert await service.push(f"/users/{user}", "x" * (1024 * 1024)) == 413

    assert await service.push(f"/users/{user}", "x" * (1024 * 1000)) == 202
