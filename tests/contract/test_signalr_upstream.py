"""What the function app is told, in which order, and what its answers do."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from local.signalr.templates import Template
from tests.contract.signalr_client.clients import until
from tests.contract.signalr_client.harness import (
    KEY,
    Answer,
    Recorded,
    Stack,
    completion,
    running,
)

pytestmark = pytest.mark.stack


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    async with running(tmp_path) as it:
        yield it


async def test_upstream_calls_carry_who_where_and_a_signature(stack: Stack) -> None:
    client = await stack.connect("ada")

    await client.invoke("sendMessage", "a", 2)

    call = stack.app.only("sendMessage")
    digest = hmac.new(KEY.encode(), client.id.encode(), hashlib.sha256).hexdigest().upper()
    assert call.query == "code=extension-key"
    assert call.headers["X-ASRS-Connection-Id"] == client.id
    assert call.headers["X-ASRS-Hub"] == "chat"
    assert call.headers["X-ASRS-Category"] == "messages"
    assert call.headers["X-ASRS-User-Id"] == "ada"
    assert call.headers["X-ASRS-Signature"] == f"sha256={digest}"
    assert call.headers["X-ASRS-Client-Query"].startswith("?hub=chat&id=")
    assert "asrs.s.uid: ada" in call.headers["X-ASRS-User-Claims"].split(", ")
    assert call.headers["Content-Type"] == "application/json"
    assert call.json() == {
        "type": 1,
        "invocationId": "0",
        "target": "sendMessage",
        "arguments": ["a", 2],
    }


async def test_an_anonymous_client_has_no_user_header(stack: Stack) -> None:
    client = await stack.connect(None)

    await client.invoke("hello")

    assert "X-ASRS-User-Id" not in stack.app.only("hello").headers


async def test_messages_wait_for_the_answer_to_connected(stack: Stack) -> None:
    release = asyncio.Event()

    async def slow(_: Recorded) -> Answer:
        await release.wait()
        return 200, b""

    async def first(call: Recorded) -> Answer:
        return 200, completion(call, release.is_set())

    stack.app.handlers.update(connected=slow, first=first)
    client = await stack.connect()
    await client.send({"type": 1, "invocationId": "0", "target": "first", "arguments": []})

    for number in range(20):
        await stack.push("/users/ada", number)
    pushed = [(await client.receive())["arguments"] for _ in range(20)]
    release.set()
    answer = await client.receive()

    assert pushed == [[number] for number in range(20)]
    assert answer["result"] is True
    assert stack.app.only("connected").json() == {"type": 10}


async def test_one_connections_messages_go_one_by_one_and_others_do_not_wait(stack: Stack) -> None:
    release = asyncio.Event()

    async def slow(call: Recorded) -> Answer:
        await release.wait()
        return 200, completion(call, "slow")

    stack.app.handlers["slow"] = slow
    ada, ben = await stack.connect("ada"), await stack.connect("ben")
    await ada.send({"type": 1, "invocationId": "0", "target": "slow", "arguments": []})
    await ada.send({"type": 1, "invocationId": "1", "target": "fast", "arguments": []})
    await until(lambda: "slow" in stack.app.events())

    await ben.invoke("fast")
    ada_before = stack.app.events(ada.id)
    release.set()
    answers = [await ada.receive(), await ada.receive()]

    assert ada_before == ["connected", "slow"]
    assert [answer["invocationId"] for answer in answers] == ["0", "1"]


async def test_a_refused_connected_leaves_the_connection_open(stack: Stack) -> None:
    async def refuse(_: Recorded) -> Answer:
        return 403, b""

    stack.app.handlers["connected"] = refuse
    client = await stack.connect()

    answer = await client.invoke("hello", 1)

    assert answer["result"] == [1]


async def test_an_app_that_cannot_be_reached_fails_the_invocation_alone(tmp_path: Path) -> None:
    nowhere = Template("http://127.0.0.1:9/")
    async with running(tmp_path, upstream=(nowhere,)) as stack:
        client = await stack.connect()

        answers = [await client.invoke("hello"), await client.invoke("again")]

    assert [each["error"] for each in answers] == ["Invocation failed, status code 500"] * 2


async def test_an_unsafe_target_never_becomes_a_header(stack: Stack) -> None:
    client = await stack.connect()

    answers = [await client.invoke(target) for target in ("a\r\nX-Evil: 1", "ä", "x" * 600)]

    assert [each["error"] for each in answers] == ["Invocation failed, status code 400"] * 3
    assert stack.app.events() == ["connected"]
