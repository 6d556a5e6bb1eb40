"""What the stand-in's REST API and client endpoint refuse, and in which words."""

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from local.signalr.settings import Timing
from local.signalr.tokens import TokenError, sign, verify
from tests.contract.signalr_client.harness import JSON_HANDSHAKE, KEY, Answered, Stack, running

pytestmark = pytest.mark.stack


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    async with running(tmp_path) as it:
        yield it


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/:execute", 404, "NotFound"),
        ("POST", "/connections/a/:invoke", 404, "NotFound"),
        ("GET", "/users/ada/groups/room/more", 404, "NotFound"),
        ("GET", "/:send", 405, "MethodNotAllowed"),
        ("PUT", "/users/ada/groups/%20", 400, "InvalidGroupName"),
        ("PUT", f"/users/ada/groups/{'g' * 1025}", 400, "InvalidGroupName"),
        ("PUT", "/users/%20/groups/room", 400, "InvalidUserId"),
        ("PUT", "/users/ada/groups/room?ttl=-1", 400, "InvalidQuery"),
        ("PUT", "/users/ada/groups/room?ttl=soon", 400, "InvalidQuery"),
        ("POST", "/:generateToken", 404, "NotFound"),
    ],
)
async def test_a_call_that_is_not_served_says_so(
    stack: Stack, method: str, path: str, status: int, code: str
) -> None:
    path, _, query = path.partition("?")

    answer = await stack.rest(method, path, **dict([query.split("=")] if query else []))

    assert (answer.status, answer.code) == (status, code)
    assert json.loads(answer.body)["code"] == code


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ({"arguments": []}, 400),
        ({"target": 1}, 400),
        ({"target": "a", "arguments": {}}, 400),
        ({"target": "a", "rawBytes": {"json": ""}}, 400),
        (None, 415),
    ],
)
async def test_a_body_that_is_no_message_is_refused(
    stack: Stack, body: object, status: int
) -> None:
    answer = await stack.rest("POST", "/:send", body)

    assert answer.status == status


@pytest.mark.parametrize("version", ["", "2019-01-01", "v1"])
async def test_an_unknown_api_version_is_refused(stack: Stack, version: str) -> None:
    answer = await stack.rest("POST", "/:send", {"target": "a"}, **{"api-version": version})

    assert (answer.status, answer.code) == (400, "UnsupportedApiVersion")


async def test_a_misnamed_hub_is_refused(stack: Stack) -> None:
    stack.hub = "9lives"

    answer = await stack.rest("POST", "/:send", {"target": "a"})

    assert (answer.status, answer.code) == (400, "InvalidHubName")


async def test_a_hub_is_lower_cased_and_prefixed_by_its_application(stack: Stack) -> None:
    stack.hub = "app_chat"
    client = await stack.connect()
    stack.hub = "CHAT"

    status = await stack.push("", 1, application="App")

    assert status == 202
    assert (await client.receive())["arguments"] == [1]


async def test_names_are_taken_as_escaped(stack: Stack) -> None:
    client = await stack.connect("a/b")
    await stack.rest("PUT", "/users/a%2Fb/groups/r%2F%3Asend%20%C3%A9")

    await stack.push("/groups/r%2F%3Asend%20%C3%A9", 1)

    assert (await client.receive())["arguments"] == [1]


async def test_lone_surrogates_and_huge_numbers_kill_no_client(stack: Stack) -> None:
    client = await stack.connect()

    await stack.push("", "\ud800", 2**70)

    assert (await client.receive())["arguments"] == ["?", 2**70]


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({}, 200),
        ({"aud": "http://elsewhere/client/?hub=chat"}, 200),
        ({"aud": ["http://x/", "http://x/client/?hub=chat"]}, 200),
        ({"aud": None}, 401),
        ({"aud": "http://x/client/?hub=other"}, 401),
        ({"aud": "http://x/api/hubs/chat"}, 401),
        ({"exp": 1}, 401),
        ({"exp": None}, 401),
        ({"exp": "never"}, 401),
        ({"nbf": 4_000_000_000}, 401),
        ({"asrs.s.uid": "a\nb"}, 401),
    ],
)
async def test_a_client_token_is_checked(stack: Stack, claims: dict[str, Any], status: int) -> None:
    answer = await stack.negotiate(stack.token(**claims))

    assert answer.status == status


async def test_a_forged_client_token_is_refused(stack: Stack) -> None:
    head, body, _ = stack.token().split(".")
    alg_none = "eyJhbGciOiJub25lIn0"
    tokens = ["", "junk", f"{head}.{body}.", f"{alg_none}.{body}.", f"{head}.{body}.AAAA"]

    statuses = [(await stack.negotiate(token)).status for token in tokens]

    assert statuses == [401] * 5


def test_a_token_of_another_algorithm_is_refused_whoever_signed_it() -> None:
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    body = sign({"exp": 4_000_000_000}, KEY).split(".")[1]
    digest = hmac.digest(KEY.encode(), f"{head}.{body}".encode(), "sha256")
    signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    with pytest.raises(TokenError):
        verify(f"{head}.{body}.{signature}", KEY)


async def test_negotiate_speaks_versions_0_and_1_and_only_post(stack: Stack) -> None:
    token = stack.token()

    old, new, newer = [
        json.loads((await stack.negotiate(token, negotiateVersion=version)).body)
        for version in ("0", "1", "2")
    ]
    async with stack.http.get(f"{stack.base}/client/negotiate?hub=chat") as response:
        got = response.status

    assert "connectionToken" not in old
    assert new["connectionId"] != new["connectionToken"]
    assert newer["negotiateVersion"] == 1
    assert [way["transport"] for way in new["availableTransports"]] == [
        "WebSockets",
        "LongPolling",
    ]
    assert got == 405


async def test_an_event_stream_is_refused_with_the_reason(stack: Stack) -> None:
    token = stack.token()
    ticket = json.loads((await stack.negotiate(token, negotiateVersion="1")).body)
    url = f"{stack.base}/client/?hub=chat&id={ticket['connectionToken']}"
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {token}"}

    async with stack.http.get(url, headers=headers) as response:
        text = await response.text()

    assert response.status == 400
    assert "not served by this stand-in" in text


async def test_a_browser_of_another_origin_may_call_with_credentials(stack: Stack) -> None:
    url = f"{stack.base}/client/negotiate?hub=chat"
    origin = {"Origin": "https://site.example"}
    asked = {**origin, "Access-Control-Request-Headers": "authorization,x-signalr-user-agent"}

    async with stack.http.options(url, headers=asked) as preflight:
        pass
    async with stack.http.post(url, headers=origin) as refused:
        pass

    for response in (preflight, refused):
        assert response.headers["Access-Control-Allow-Origin"] == "https://site.example"
        assert response.headers["Access-Control-Allow-Credentials"] == "true"
    assert (preflight.status, refused.status) == (204, 401)
    assert "x-signalr-user-agent" in preflight.headers["Access-Control-Allow-Headers"]


class Poller:
    """A long polling client made of single calls."""

    def __init__(self, stack: Stack, token: str, carried: str) -> None:
        self._http = stack.http
        self._url = f"{stack.base}/client/?hub=chat&id={carried}"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def call(self, method: str, body: bytes = b"", token: str | None = None) -> Answered:
        headers = self._headers if token is None else {"Authorization": f"Bearer {token}"}
        async with self._http.request(method, self._url, data=body, headers=headers) as response:
            return Answered(response.status, response.headers.copy(), await response.read())


async def opened_poller(stack: Stack) -> Poller:
    token = stack.token()
    ticket = json.loads((await stack.negotiate(token)).body)
    poller = Poller(stack, token, ticket["connectionToken"])
    await poller.call("GET")
    await poller.call("POST", JSON_HANDSHAKE)
    assert (await poller.call("GET")).body == b"{}\x1e"
    return poller


async def test_a_poll_ends_with_frames_or_empty_or_the_end(tmp_path: Path) -> None:
    async with running(tmp_path, Timing(poll_s=0.05)) as stack:
        poller = await opened_poller(stack)

        empty = await poller.call("GET")
        await stack.push("", 1)
        await stack.push("", 2)
        full = await poller.call("GET")
        stopped = await poller.call("DELETE")
        after = await poller.call("GET")

    assert (empty.status, empty.body) == (200, b"")
    assert [json.loads(text)["arguments"] for text in full.body.split(b"\x1e")[:2]] == [[1], [2]]
    assert (stopped.status, after.status) == (202, 404)


async def test_a_new_poll_takes_over_from_a_forgotten_one(stack: Stack) -> None:
    poller = await opened_poller(stack)

    first = asyncio.create_task(poller.call("GET"))
    await asyncio.sleep(0.05)  # the first is held by then
    second = asyncio.create_task(poller.call("GET"))
    given_up = await first
    await stack.push("", 1)
    answer = await second

    assert given_up.status == 204
    assert b'"arguments":[1]' in answer.body


async def test_a_client_closed_by_rest_polls_the_reason_and_then_the_end(stack: Stack) -> None:
    poller = await opened_poller(stack)

    await stack.rest("POST", "/users/ada/:closeConnections", reason="bye")
    answers = [await poller.call("GET") for _ in range(3)]

    assert b'"error":"bye"' in answers[0].body
    assert [each.status for each in answers] == [200, 204, 404]


async def test_a_client_that_stops_polling_has_left(tmp_path: Path) -> None:
    async with running(tmp_path, Timing(poll_gap_s=0.1, sweep_s=0.02)) as stack:
        poller = await opened_poller(stack)

        async with asyncio.timeout(5):
            while (await stack.metrics())["connections"]:  # noqa: ASYNC110 (asked over HTTP)
                await asyncio.sleep(0.02)

        assert (await poller.call("GET")).status in {204, 404}


async def test_another_users_token_reaches_no_polled_connection(stack: Stack) -> None:
    poller = await opened_poller(stack)

    statuses = [
        (await poller.call(method, token=stack.token("eve"))).status
        for method in ("GET", "POST", "DELETE")
    ]

    assert statuses == [404, 404, 404]
