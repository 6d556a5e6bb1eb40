"""The whole stack with the real app: what was said stays said, whatever is killed."""

import asyncio
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis

from tests.stack import Reply, Stack, running_stack

pytestmark = pytest.mark.stack

# Source: the idle stack's budget, README.
IDLE_BUDGET_BYTES = 800 * 1024 * 1024


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as started:
        yield started


async def open_conversation(stack: Stack, token: str, other: str) -> str:
    asked = {"kind": "direct", "memberIds": [other]}
    reply = await stack.call("POST", "/api/conversations", asked, token=token)
    assert reply.status in {200, 201}, reply.body
    return str(reply.json["id"])


async def post(stack: Stack, token: str, conversation_id: str, body: str) -> Reply:
    """Post as a client does: the same message again until it is acknowledged."""
    message: dict[str, object] = {"clientMessageId": str(uuid.uuid4()), "body": body}
    deadline = time.monotonic() + 30
    while True:
        try:
            reply = await stack.call(
                "POST", f"/api/conversations/{conversation_id}/messages", message, token=token
            )
        except OSError:  # the front door itself is down
            reply = Reply(503, {}, b"")
        if reply.status < 500:
            return reply
        assert time.monotonic() < deadline, reply.body
        message["retry"] = True
        await asyncio.sleep(0.1)


async def read_back(stack: Stack, token: str, conversation_id: str) -> list[dict[str, Any]]:
    reply = await stack.call(
        "GET", f"/api/conversations/{conversation_id}/messages?limit=100", token=token
    )
    assert reply.status == 200, reply.body
    items: list[dict[str, Any]] = reply.json["items"]
    return items


@pytest.mark.slow
def test_the_idle_stack_keeps_to_its_memory(own_stack: Stack) -> None:
    # The first test of the file: nothing has been said on its stack yet.
    assert own_stack.process is not None
    root = psutil.Process(own_stack.process.pid)
    time.sleep(5)  # idle is what is measured

    whole = [root, *root.children(recursive=True)]
    taken = sum(process.memory_info().rss for process in whole)

    assert taken < IDLE_BUDGET_BYTES


async def test_the_stack_is_able_to_carry_a_message_once_it_says_ready(own_stack: Stack) -> None:
    token = await own_stack.token("amara")
    conversation_id = await open_conversation(own_stack, token, "ben")

    reply = await post(own_stack, token, conversation_id, "hello")

    assert reply.status == 201
    assert reply.json["message"]["sequence"] == 1


async def test_every_check_of_the_apps_health_is_good(own_stack: Stack) -> None:
    reply = await own_stack.call("GET", "/api/health")

    assert reply.status == 200
    assert set(reply.json["checks"]) == {"cosmos", "redis", "signalr", "serviceBus", "blob"}
    assert set(reply.json["checks"].values()) == {"ok"}


async def test_a_guest_may_chat_as_soon_as_they_hold_a_token(own_stack: Stack) -> None:
    guest = f"guest-{uuid.uuid4().hex[:8]}"

    token = await own_stack.token(guest, name="A Guest")
    conversation_id = await open_conversation(own_stack, token, "amara")
    reply = await post(own_stack, token, conversation_id, "hello")

    assert reply.status == 201


@pytest.mark.parametrize(
    "name",
    ["cosmos", "redis", "worker-1", "host", "signalr", "servicebus", "azurite", "proxy", "site"],
)
async def test_killing_any_process_loses_and_doubles_no_message(
    own_stack: Stack, name: str
) -> None:
    other = f"guest-{name}"
    await own_stack.token(other)
    token = await own_stack.token("amara")
    conversation_id = await open_conversation(own_stack, token, other)

    bodies = [f"{name} {number}" for number in range(6)]
    for number, body in enumerate(bodies):
        if number == 2:
            await own_stack.kill(name)
        reply = await post(own_stack, token, conversation_id, body)
        assert reply.status in {200, 201}, reply.body
    await own_stack.healthy()

    after = await read_back(own_stack, token, conversation_id)
    assert [message["body"] for message in after] == bodies
    assert [message["sequence"] for message in after] == list(range(1, len(bodies) + 1))


async def test_what_was_said_is_there_after_a_restart(tmp_path: Path) -> None:
    with running_stack(tmp_path) as first:
        port = first.ports.front
        token = await first.token("amara")
        conversation_id = await open_conversation(first, token, "ben")
        for number in range(5):
            await post(first, token, conversation_id, f"message {number}")
        said = await read_back(first, token, conversation_id)
        await first.call("POST", "/dev/token", {"userId": "guest", "name": "A Guest"})
        with redis.Redis(port=first.ports.redis) as client:
            client.set("kept", 1)

    with running_stack(tmp_path, port=port) as second:
        token = await second.token("ben")
        kept = await read_back(second, token, conversation_id)
        reply = await post(second, token, conversation_id, "and on")
        guest = await second.token("guest")
        with redis.Redis(port=second.ports.redis) as client:
            in_redis = client.get("kept")

    assert in_redis == b"1"
    assert guest.count(".") == 2
    assert [message["body"] for message in kept] == [message["body"] for message in said]
    assert reply.json["message"]["sequence"] == 6
