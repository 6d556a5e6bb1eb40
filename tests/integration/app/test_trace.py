"""Following one message through the log: from its send to the last who has read it."""

import asyncio
import os
import re
import subprocess
import uuid

import pytest
from azure.cosmos import CosmosClient

from local.common.keys import load_or_create
from tests.integration.app.people import Person, World, eventually, message
from tests.stack import ROOT, Stack

pytestmark = pytest.mark.stack


def a_traceparent() -> tuple[str, str]:
    """Return a trace's id, and what a caller says of it."""
    trace = os.urandom(16).hex()
    return trace, f"00-{trace}-{os.urandom(8).hex()}-01"


def logged(stack: Stack, trace: str) -> list[str]:
    """Return what the log says under *trace*: the first word of each line, in order."""
    text = (stack.directory / "logs/host.log").read_text(encoding="utf-8")
    said = re.findall(
        rf" [a-z.]*(?:parley|shared[a-z._]*) (\w+) .*trace={trace}$", text, re.MULTILINE
    )
    return [str(word) for word in said]


async def has_logged(stack: Stack, trace: str, *words: str) -> list[str]:
    async def ask() -> list[str]:
        return logged(stack, trace)

    return await eventually(ask, lambda said: set(words) <= set(said))


async def subscribed(world: World, name: str) -> Person:
    person = await world.person(name)
    made = await world.call("POST", "/dev/push-subscription", {"userId": person.user_id})
    assert (await person.call("PUT", "/push-subscriptions/phone", made.json)).status == 204
    return person


async def test_send_queue_delivery_and_read_are_logged_under_one_trace(world: World) -> None:
    ann, bob = await world.person("ann"), await subscribed(world, "bob")
    conversation_id = await ann.direct(bob)
    trace, traceparent = a_traceparent()
    said = {"traceparent": traceparent}
    path = f"/api/conversations/{conversation_id}"

    sent = await ann.call("POST", path.removeprefix("/api") + "/messages", message(), said)
    await has_logged(world.stack, trace, "deliver_notification")
    await bob.call("PUT", path.removeprefix("/api") + "/receipt", {"read": 1}, said)

    assert sent.status == 201
    words = await has_logged(world.stack, trace, "put_receipt")
    expected = ["stored", "post_message", "queued", "delivered", "acknowledged", "put_receipt"]
    assert [word for word in words if word in expected] == expected


async def test_a_trace_goes_through_the_hub_too(world: World) -> None:
    ann, bob = await world.person("ann"), await subscribed(world, "bob")
    conversation_id = await ann.direct(bob)
    hub = await ann.connect()
    trace, traceparent = a_traceparent()
    asked = {**message(), "conversationId": conversation_id, "traceparent": traceparent}

    answer = await hub.invoke("sendMessage", asked)

    assert answer["ok"]
    assert traceparent not in str(answer)
    await has_logged(world.stack, trace, "stored", "send_message", "queued", "delivered")


async def test_a_caller_without_a_trace_is_given_one_that_stays_with_the_message(
    world: World,
) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    headers = {"traceparent": "00-" + "0" * 32 + "-0000000000000001-01"}

    path = f"/conversations/{conversation_id}/messages"
    reply = await ann.call("POST", path, message(), headers)

    assert reply.status == 201
    key = load_or_create(world.stack.directory).cosmos
    with CosmosClient(f"http://127.0.0.1:{world.stack.ports.cosmos}/", key) as client:
        messages = client.get_database_client("parley").get_container_client("messages")
        item = messages.read_item("000000000001", [conversation_id, 0])
    trace = re.fullmatch(r"00-([0-9a-f]{32})-[0-9a-f]{16}-00", item["trace"])
    assert trace is not None
    assert trace[1] != "0" * 32
    await has_logged(world.stack, trace[1], "stored", "post_message", "queued")


async def test_the_tool_tells_a_message_from_send_to_read_by_its_own_id(world: World) -> None:
    ann, bob = await world.person("ann"), await subscribed(world, "bob")
    conversation_id = await ann.direct(bob)
    asked = message()
    await ann.call("POST", f"/conversations/{conversation_id}/messages", asked)

    async def told() -> str:
        return await asyncio.to_thread(tell, world.stack, str(asked["clientMessageId"]))

    await eventually(told, lambda text: "delivered" in text)
    await bob.acknowledge(conversation_id, delivered=1)
    await bob.acknowledge(conversation_id, read=1)
    await ann.say(conversation_id, "of no concern")

    text = await eventually(told, lambda text: "read=1" in text)
    words = re.findall(r"shared\.services\.[\w.]+ (\w+)", text)
    assert words == ["stored", "queued", "delivered", "acknowledged", "acknowledged"]
    assert text.count("sequence=") == 1


async def test_the_tool_says_that_it_found_nothing(world: World) -> None:
    text = await asyncio.to_thread(tell, world.stack, str(uuid.uuid4()))

    assert "says nothing" in text


def tell(stack: Stack, identifier: str) -> str:
    done = subprocess.run(
        ["tools/trace.sh", identifier, str(stack.directory)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr
