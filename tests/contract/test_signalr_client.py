"""The real @microsoft/signalr client against the service."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.signalr_client.harness import Answer, Recorded, Stack, running, until

pytestmark = pytest.mark.stack

TRANSPORTS = ["WebSockets", "ServerSentEvents", "LongPolling"]
WAYS = [("json", name) for name in TRANSPORTS]
WAYS += [("messagepack", "WebSockets"), ("messagepack", "LongPolling")]


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    async with running(tmp_path) as it:
        it.app.handlers["count"] = count
        yield it


async def count(call: Recorded) -> Answer:
    """Answer with the number of bytes of the call, in the protocol it came in."""
    if call.headers["Content-Type"] == "application/x-msgpack":
        return 200, b"\x07\x95\x03\x80\xa10\x03" + bytes([len(call.body) & 0x7F])
    return 200, b'{"type":3,"invocationId":"0","result":%d}\x1e' % (len(call.body) & 0x7F)


@pytest.mark.parametrize(("protocol", "transport"), WAYS)
async def test_an_invocation_reaches_the_app_and_its_answer_the_client(
    stack: Stack, protocol: str, transport: str
) -> None:
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
        added = await stack.rest("PUT", f"/groups/room/connections/{node.id}")

        for number, path in enumerate(
            ["", "/users/ada", "/groups/room", f"/connections/{node.id}"]
        ):
            assert await stack.push(path, "news", number, {"text": "é\u2028"}) == 202

        await until(lambda: len(node.pushes()) == 4)
    assert added.status == 200
    assert node.pushes() == [[number, {"text": "é\u2028"}] for number in range(4)]
