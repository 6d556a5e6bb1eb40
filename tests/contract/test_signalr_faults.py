"""The faults of the SignalR stand-in, and what its control surface counts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.signalr_client.clients import until
from tests.contract.signalr_client.harness import Stack, running

pytestmark = pytest.mark.stack


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    async with running(tmp_path) as it:
        yield it


async def test_an_error_fails_rest_calls_and_nothing_is_delivered(stack: Stack) -> None:
    client = await stack.connect()
    await stack.arm(kind="error", status=500, count=1)
    await stack.arm(kind="error", count=1)

    statuses = [await stack.push("", number) for number in range(3)]

    assert statuses == [500, 503, 202]
    assert (await client.receive())["arguments"] == [2]


async def test_a_delay_holds_a_rest_call(stack: Stack) -> None:
    await stack.arm(kind="delay", ms=150, count=1)
    started_at = asyncio.get_running_loop().time()

    status = await stack.push("")

    assert status == 202
    assert asyncio.get_running_loop().time() - started_at >= 0.15


async def test_a_dropped_message_is_accepted_and_lost(stack: Stack) -> None:
    client = await stack.connect()
    await stack.arm(kind="drop", count=1)

    statuses = [await stack.push("", number) for number in range(2)]

    assert statuses == [202, 202]
    assert (await client.receive())["arguments"] == [1]


async def test_a_duplicate_arrives_twice(stack: Stack) -> None:
    client = await stack.connect()
    await stack.arm(kind="duplicate", count=1)

    await stack.push("", 1)

    assert [(await client.receive())["arguments"] for _ in range(2)] == [[1], [1]]


async def test_a_reordered_message_arrives_after_the_next_one(stack: Stack) -> None:
    client = await stack.connect()
    await stack.arm(kind="reorder", count=1, ms=5000)

    for number in range(3):
        await stack.push("", number)

    assert [(await client.receive())["arguments"] for _ in range(3)] == [[1], [0], [2]]


async def test_a_reordered_message_with_none_after_it_arrives_late(stack: Stack) -> None:
    client = await stack.connect()
    await stack.arm(kind="reorder", count=1, ms=20)

    await stack.push("", 1)

    assert (await client.receive())["arguments"] == [1]


async def test_a_failed_delivery_was_delivered_so_a_retry_doubles_it(stack: Stack) -> None:
    client = await stack.connect()
    await stack.arm(kind="error", operation="deliver", count=1)

    statuses = [await stack.push("", 1), await stack.push("", 1)]

    assert statuses == [503, 202]
    assert [(await client.receive())["arguments"] for _ in range(2)] == [[1], [1]]


async def test_an_upstream_error_is_told_without_a_call(stack: Stack) -> None:
    client = await stack.connect()
    await stack.arm(kind="error", operation="upstream", status=502, count=1)

    answers = [await client.invoke("hello"), await client.invoke("again", 1)]

    assert answers[0]["error"] == "Invocation failed, status code 502"
    assert answers[1]["result"] == [1]
    assert stack.app.events() == ["connected", "again"]


async def test_a_lost_reply_fails_an_invocation_that_was_carried_out(stack: Stack) -> None:
    client = await stack.connect()
    await stack.arm(kind="drop", operation="upstream", count=1)

    answer = await client.invoke("hello")

    assert answer["error"] == "Invocation failed, status code 500"
    assert "hello" in stack.app.events()


async def test_disconnected_may_never_be_sent(stack: Stack) -> None:
    await stack.arm(kind="drop", operation="disconnected", count=1)
    silent, told = await stack.connect("silent"), await stack.connect("told")

    await silent.close()
    await until(lambda: stack.service.hubs.count() == 1)
    await told.close()
    await until(lambda: "disconnected" in stack.app.events(told.id))

    assert stack.app.events(silent.id) == ["connected"]


async def test_connected_may_never_be_sent(stack: Stack) -> None:
    await stack.arm(kind="drop", operation="connected", count=1)
    client = await stack.connect()

    answer = await client.invoke("hello", 1)

    assert answer["result"] == [1]
    assert stack.app.events() == ["hello"]


async def test_negotiate_may_be_throttled(stack: Stack) -> None:
    await stack.arm(kind="error", operation="client", status=429, count=1)

    statuses = [(await stack.negotiate(stack.token())).status for _ in range(2)]

    assert statuses == [429, 200]


@pytest.mark.parametrize(("kind", "told"), [("close", 1), ("drop", 0)])
async def test_all_connections_may_be_closed_at_once(stack: Stack, kind: str, told: int) -> None:
    clients = [await stack.connect("ada"), await stack.connect("ben")]

    await stack.arm(kind=kind, operation="client")
    last = [await client.closed() for client in clients]

    assert [len(messages) for messages in last] == [told, told]
    assert all(message["allowReconnect"] for messages in last for message in messages)
    assert (await stack.metrics())["connections"] == 0


@pytest.mark.parametrize(
    "fault", [{"kind": "explode"}, {"kind": "drop", "operation": "tea"}, {"kind": 1}, []]
)
async def test_an_unknown_fault_is_refused(stack: Stack, fault: object) -> None:
    async with stack.http.post(f"{stack.base}/_control/faults", json=fault) as response:
        status = response.status

    assert status == 400


async def test_clearing_ends_every_fault(stack: Stack) -> None:
    await stack.arm(kind="error")
    async with stack.http.delete(f"{stack.base}/_control/faults") as response:
        cleared = response.status

    status = await stack.push("")

    assert (cleared, status) == (204, 202)


async def test_metrics_count_connections_calls_and_messages(stack: Stack) -> None:
    clients = [await stack.connect("ada"), await stack.connect("ben")]
    before = await stack.metrics()

    await stack.push("", "x" * 3000)
    await clients[0].receive()
    await clients[0].invoke("hello")
    after = await stack.metrics()

    gained = {name: after[name] - before[name] for name in after}
    assert after["connections"] == 2
    assert gained == {
        "connections": 0,
        "restCalls": 1,
        "upstreamCalls": 1,
        "outboundMessages": 3,
        "outboundUnits": 5,
    }
