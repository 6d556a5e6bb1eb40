"""The real @microsoft/signalr client against the service."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.signalr_client.clients import until
from tests.contract.signalr_client.harness import Answer, Handler, Recorded, Stack, running

pytestmark = pytest.mark.stack

TRANSPORTS = ["WebSockets", "LongPolling"]
WAYS = [("json", name) for name in TRANSPORTS]
WAYS += [("messagepack", "WebSockets"), ("messagepack", "LongPolling")]


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    async with running(tmp_path) as it:
        yield it


async def count(call: Recorded) -> Answer:
    """Answer with the size of the call, in the protocol it came in."""
    size = len(call.body) & 0x7F
    if call.headers["Content-Type"] == "application/x-msgpack":
        return 200, b"\x07\x95\x03\x80\xa10\x03" + bytes([size])
    return 200, b'{"type":3,"invocationId":"0","result":%d}\x1e' % size


@pytest.mark.parametrize(("protocol", "transport"), WAYS)
async def test_an_invocation_reaches_the_app_and_its_answer_the_client(
    stack: Stack, protocol: str, transport: str
) -> None:
    stack.app.handlers["count"] = count

    async with stack.node(protocol=protocol, transport=transport) as node:
        outcome = await node.ask("invoke", "count", "a", {"b": [1, None]})

    call = stack.app.only("count")
    assert outcome["result"] == len(call.body) & 0x7F
    assert call.headers["X-ASRS-Category"] == "messages"
    assert call.connection_id == node.id


@pytest.mark.parametrize(("protocol", "transport"), WAYS)
async def test_pushes_to_all_user_group_and_connection_arrive(
    stack: Stack, protocol: str, transport: str
) -> None:
    async with stack.node(protocol=protocol, transport=transport) as node:
        await stack.rest("PUT", f"/groups/room/connections/{node.id}")
        paths = ["", "/users/ada", "/groups/room", f"/connections/{node.id}"]

        statuses = [
            await stack.push(path, number, {"text": "é\u2028"}) for number, path in enumerate(paths)
        ]

        await until(lambda: len(node.pushes()) == 4)
    assert statuses == [202] * 4
    assert node.pushes() == [[number, {"text": "é\u2028"}] for number in range(4)]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_stopping_tells_the_app_that_the_client_left_cleanly(
    stack: Stack, transport: str
) -> None:
    async with stack.node(transport=transport) as node:
        await node.ask("stop")
        await until(lambda: "disconnected" in stack.app.events())

    assert stack.app.only("disconnected").json() == {"type": 11}
    assert stack.app.events(node.id) == ["connected", "disconnected"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((200, b""), {"result": "undefined"}),
        ((204, b""), {"result": "undefined"}),
        ((404, b"nothing"), {"error": "Invocation failed, status code 404"}),
        ((401, b""), {"error": "Invocation failed, status code 401"}),
        ((200, b"x" * (16 * 1024 * 1024 + 1)), {"error": "Invocation failed, response too large."}),
    ],
    ids=["200 empty", "204", "404", "401", "200 too large"],
)
@pytest.mark.parametrize("protocol", ["json", "messagepack"])
async def test_the_status_of_an_answer_decides_how_an_invocation_ends(
    stack: Stack, protocol: str, answer: Answer, expected: dict[str, object]
) -> None:
    stack.app.handlers["ask"] = answering(answer)

    async with stack.node(protocol=protocol) as node:
        outcome = await node.ask("invoke", "ask")

    assert {name: outcome.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"type":3,"invocationId":"0","result":null}\x1e', {"result": None}),
        (b'{"type":3,"invocationId":"0","error":"no"}\x1e', {"error": "no"}),
    ],
    ids=["null", "error"],
)
async def test_a_completion_reaches_the_client_as_the_app_wrote_it(
    stack: Stack, body: bytes, expected: dict[str, object]
) -> None:
    stack.app.handlers["ask"] = answering((200, body))

    async with stack.node() as node:
        outcome = await node.ask("invoke", "ask")

    assert {name: outcome.get(name) for name in expected} == expected


def answering(answer: Answer) -> Handler:
    async def reply(_: Recorded) -> Answer:
        return answer

    return reply


async def test_send_is_forwarded_and_its_failure_stays_silent(stack: Stack) -> None:
    async def fail(_: Recorded) -> Answer:
        return 500, b"secret"

    stack.app.handlers["tell"] = fail

    async with stack.node() as node:
        outcome = await node.ask("send", "tell", 1)
        answer = await node.ask("invoke", "after")

    assert outcome["event"] == "done"
    assert answer["result"] == []
    assert stack.app.only("tell").json() == {"type": 1, "target": "tell", "arguments": [1]}


async def test_streams_are_refused_and_the_connection_lives(stack: Stack) -> None:
    async with stack.node() as node:
        outcome = await node.ask("stream", "numbers")
        answer = await node.ask("invoke", "after", 1)

    assert outcome["streamError"] == "Streaming is not supported in serverless mode."
    assert "numbers" not in stack.app.events()
    assert answer["event"] == "done"


@pytest.mark.parametrize("fault", ["close", "drop"])
async def test_a_client_that_lost_its_connection_comes_back_with_a_new_id(
    stack: Stack, fault: str
) -> None:
    await stack.rest("PUT", "/users/ada/groups/kept")
    async with stack.node(reconnectDelays=[0, 50]) as node:
        await stack.rest("PUT", f"/groups/gone/connections/{node.id}")

        await stack.arm(kind=fault, operation="client")
        back = await node.event("reconnected")

        await stack.push("/groups/gone", "to a connection's group")
        await stack.push("/groups/kept", "to a user's group")
        await until(node.pushes)
    assert back["connectionId"] != node.id
    assert node.pushes() == [["to a user's group"]]


async def test_closing_by_rest_tells_the_client_why_and_lets_it_reconnect(stack: Stack) -> None:
    async with stack.node(reconnectDelays=[0]) as node:
        answer = await stack.rest("DELETE", f"/connections/{node.id}", reason="moved")

        lost = await node.event("reconnecting")
        await node.event("reconnected")
    assert answer.status == 200
    assert lost["error"] == "Server returned an error on close: moved"


async def test_a_client_that_skips_negotiation_is_served(stack: Stack) -> None:
    async with stack.node(skipNegotiation=True) as node:
        outcome = await node.ask("invoke", "hello", 1)

    assert outcome["result"] == [1]
    assert stack.app.only("hello").headers["X-ASRS-User-Id"] == "ada"


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_client_with_an_expired_token_is_refused(stack: Stack, transport: str) -> None:
    async with stack.node(token=stack.token(exp=1), transport=transport) as node:
        assert node.events[0]["event"] == "refused"
        assert "401" in node.events[0]["error"]
