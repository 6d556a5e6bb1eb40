"""What the service does for one connection, seen by a client that may break every rule."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from local.signalr.settings import Timing
from tests.contract.signalr_client.clients import RawClient, until
from tests.contract.signalr_client.harness import (
    JSON_HANDSHAKE,
    Answer,
    Recorded,
    Stack,
    completion,
    running,
)

pytestmark = pytest.mark.stack

HOSTILE: dict[str, str | bytes] = {
    "not JSON": "not json\x1e",
    "no object": "[]\x1e",
    "a type that is text": '{"type":"1"}\x1e',
    "a target that is a number": '{"type":1,"target":5}\x1e',
    "an id that is a number": '{"type":1,"target":"a","invocationId":7,"arguments":[]}\x1e',
    "not a number": '{"type":1,"target":"a","arguments":[NaN]}\x1e',
    "too deep": "[" * 100_000 + "\x1e",
    "not UTF-8": b"\xff\xfe\x00\x1e",
    "every byte": bytes(range(256)) * 8,
    "too large": '{"type":1,"target":"a","arguments":["' + "x" * (1024 * 1024) + '"]}\x1e',
}
BROKEN = {"type": 7, "error": "Connection closed with an error."}


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    async with running(tmp_path) as it:
        yield it


async def open_again(stack: Stack, client: RawClient, token: str | None = None) -> int:
    """Ask for the same connection once more; return the status."""
    headers = {"Authorization": f"Bearer {token or client.token}"}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await stack.http.ws_connect(client.url, headers=headers)
    return refusal.value.status


@pytest.mark.parametrize("frame", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_frame_closes_its_connection_and_no_other(
    stack: Stack, frame: str | bytes
) -> None:
    hostile, honest = await stack.connect("eve"), await stack.connect("ada")

    if isinstance(frame, bytes):
        await hostile.socket.send_bytes(frame)
    else:
        await hostile.socket.send_str(frame)
    last = await hostile.closed()
    answer = await honest.invoke("hello", 1)

    assert last == [BROKEN]
    assert answer["result"] == [1]
    assert (await stack.metrics())["connections"] == 1


async def test_a_frame_beyond_every_limit_closes_its_connection_and_no_other(stack: Stack) -> None:
    hostile, honest = await stack.connect("eve"), await stack.connect("ada")

    await hostile.socket.send_bytes(b"x" * (3 * 1024 * 1024))
    await hostile.closed()
    answer = await honest.invoke("hello", 1)

    assert hostile.socket.close_code == 1009
    assert answer["result"] == [1]


@pytest.mark.parametrize(
    "junk",
    [b"\xff\xff\xff\xff\xff\x01", b"\x05\xc1\xc1\xc1\xc1\xc1", b"\x01\x80", b"\x03\x92\x01\xc0"],
)
async def test_binary_junk_closes_a_messagepack_connection(stack: Stack, junk: bytes) -> None:
    client = await stack.open_socket()
    await client.socket.send_bytes(b'{"protocol":"messagepack","version":1}\x1e')
    await client.socket.receive()

    await client.socket.send_bytes(junk)
    closing = await client.socket.receive()
    last = await client.socket.receive()

    assert closing.data == b"\x25\x93\x07\xd9\x20" + BROKEN["error"].encode() + b"\xc2"  # type: ignore[attr-defined]
    assert last.type is aiohttp.WSMsgType.CLOSE


async def test_a_message_may_come_in_pieces_and_several_in_one_frame(stack: Stack) -> None:
    client = await stack.connect()
    text = '{"type":1,"invocationId":"%d","target":"hello","arguments":["é"]}\x1e'
    data = ((text % 0) + (text % 1) + '{"type":6}\x1e' + (text % 2)).encode()

    for start in range(0, len(data), 50):
        await client.socket.send_bytes(data[start : start + 50])
    answers = [await client.receive() for _ in range(3)]

    assert [each["invocationId"] for each in answers] == ["0", "1", "2"]


async def test_an_unfinished_message_is_no_sign_of_life(tmp_path: Path) -> None:
    async with running(tmp_path, Timing(silent_s=0.2, sweep_s=0.02)) as stack:
        client = await stack.connect()

        await client.socket.send_str('{"type":6}')
        last = await client.closed()

        await until(lambda: "disconnected" in stack.app.events())
    assert last == [
        {"type": 7, "error": "The client has been silent for too long.", "allowReconnect": True}
    ]
    assert stack.app.only("disconnected").json() == {
        "type": 11,
        "error": "The client has been silent for too long.",
    }


async def test_the_service_pings_when_it_has_nothing_else_to_say(tmp_path: Path) -> None:
    async with running(tmp_path, Timing(ping_s=0.05, sweep_s=0.02)) as stack:
        client = await stack.connect()

        frames = [(await client.socket.receive(timeout=5)).data for _ in range(3)]

    assert frames == ['{"type":6}\x1e'] * 3


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ('{"protocol":"xml","version":1}\x1e', "The protocol 'xml' is not supported."),
        (
            '{"protocol":"json","version":2}\x1e',
            "The server does not support version 2 of the 'json' protocol.",
        ),
        ("nonsense\x1e", "The handshake request is not JSON."),
        ("3\x1e", "The handshake request is not a JSON object."),
        ("x" * 5000, "The handshake request is too long."),
    ],
)
async def test_a_wrong_handshake_is_answered_and_closed(
    stack: Stack, request_: str, reason: str
) -> None:
    client = await stack.open_socket()

    await client.socket.send_str(request_)
    last = await client.closed()

    assert last == [{"error": reason}]
    assert stack.app.events() == []


async def test_a_client_that_never_shakes_hands_is_closed(tmp_path: Path) -> None:
    async with running(tmp_path, Timing(handshake_s=0.1, sweep_s=0.02)) as stack:
        client = await stack.open_socket()

        last = await client.closed()

    assert last == [{"error": "Handshake was canceled."}]


async def test_a_ticket_serves_once_in_time_and_its_owner_only(tmp_path: Path) -> None:
    async with running(tmp_path, Timing(connect_s=0.2)) as stack:
        client = await stack.open_socket("ada")
        foreign = json.loads((await stack.negotiate(stack.token("ben"))).body)
        late = json.loads((await stack.negotiate(client.token)).body)

        while_open = await open_again(stack, client)
        client.url = f"{stack.base}/client/?hub=chat&id={foreign['connectionToken']}"
        of_another = await open_again(stack, client)
        await asyncio.sleep(0.25)  # the life of a ticket
        client.url = f"{stack.base}/client/?hub=chat&id={late['connectionToken']}"
        too_late = await open_again(stack, client)

    assert (while_open, of_another, too_late) == (409, 404, 404)


async def test_a_client_that_does_not_read_is_closed_and_the_others_get_everything(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, buffer_bytes=200_000) as stack:
        slow, quick = await stack.connect("slow"), await stack.connect("quick")
        read: list[Any] = []

        async def drain() -> None:
            while (message := await quick.receive()) is not None:
                read.append(message["arguments"][0])

        reading = asyncio.create_task(drain())
        slow.socket._response.connection.transport.pause_reading()  # type: ignore[union-attr]
        sent = 0
        while (await stack.rest("HEAD", "/users/slow")).status == 200 and sent < 150:
            assert await stack.push("", sent, "x" * 100_000) == 202
            sent += 1
        await until(lambda: len(read) == sent)

        assert sent < 150  # the system's own buffers hold a few megabytes
        assert read == list(range(sent))
        reading.cancel()


async def test_a_large_answer_does_not_cost_a_client_the_push_after_it(stack: Stack) -> None:
    async def large(call: Recorded) -> Answer:
        return 200, completion(call, "x" * (8 * 1024 * 1024))

    stack.app.handlers["large"] = large
    client = await stack.connect()
    client.socket._response.connection.transport.pause_reading()  # type: ignore[union-attr]
    await client.send({"type": 1, "invocationId": "0", "target": "large", "arguments": []})
    await until(lambda: client_buffer(stack, client) > 1024 * 1024)

    await stack.push("", "small")
    client.socket._response.connection.transport.resume_reading()  # type: ignore[union-attr]
    received = [await client.receive(), await client.receive()]

    assert len(received[0]["result"]) == 8 * 1024 * 1024
    assert received[1]["arguments"] == ["small"]


def client_buffer(stack: Stack, client: RawClient) -> int:
    return stack.service.hubs.get("chat").connections[client.id].transport.buffered_bytes


async def test_a_socket_that_breaks_is_reported_upstream(stack: Stack) -> None:
    client = await stack.connect()

    client.socket._response.connection.transport.abort()  # type: ignore[union-attr]
    await until(lambda: "disconnected" in stack.app.events())

    assert "closing handshake" in stack.app.only("disconnected").json()["error"]
    assert (await stack.metrics())["connections"] == 0


async def test_a_handshake_and_the_first_message_may_share_a_frame(stack: Stack) -> None:
    client = await stack.open_socket()

    message = b'{"type":1,"invocationId":"0","target":"hello","arguments":[1]}\x1e'
    await client.socket.send_bytes(JSON_HANDSHAKE + message)
    replies = [await client.receive(), await client.receive()]

    assert replies[0] == {}
    assert replies[1]["result"] == [1]
