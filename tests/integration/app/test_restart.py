"""Killed processes and a killed machine: what was acknowledged is still there."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from tests.integration.app.people import Json, Person, World, eventually, message
from tests.stack import Reply

# Everything is killed one after another here: on a busy machine that takes its time.
pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

KILLED = (
    "worker-1",
    "worker-2",
    "host",
    "signalr",
    "cosmos",
    "redis",
    "servicebus",
    "azurite",
    "proxy",
    "site",
)


async def insist(call: Callable[[], Awaitable[Reply]], within_s: float = 30.0) -> Reply:
    """Repeat a call that may be repeated until it is answered; return the answer.

    Raises:
        AssertionError: It is not within *within_s* seconds.

    """
    deadline = time.monotonic() + within_s
    while True:
        try:
            reply = await call()
        except (aiohttp.ClientError, OSError) as error:
            reply = Reply(503, {}, repr(error).encode())
        if reply.status < 500:
            return reply
        assert time.monotonic() < deadline, reply
        await asyncio.sleep(0.05)


async def say(person: Person, conversation_id: str, body: str) -> Json:
    """Post as a client does: the same message again, marked as a retry, until it is taken."""
    asked = message(body)

    async def attempt() -> Reply:
        path = f"/conversations/{conversation_id}/messages"
        reply = await person.call("POST", path, dict(asked))
        asked["retry"] = True
        return reply

    reply = await insist(attempt)
    assert reply.status in {200, 201}, reply
    stored: Json = reply.json["message"]
    return stored


async def read(person: Person, conversation_id: str) -> list[Json]:
    path = f"/conversations/{conversation_id}/messages?limit=100"
    reply = await insist(lambda: person.call("GET", path))
    assert reply.status == 200, reply
    items: list[Json] = reply.json["items"]
    return items


async def connect(person: Person) -> Any:
    """Connect as a client does: again and again until a connection stands."""

    async def attempt() -> Any:
        try:
            return await person.connect()
        except (aiohttp.ClientError, OSError, AssertionError):
            return None

    return await eventually(attempt, lambda hub: hub is not None, within_s=30)


def stored(items: list[Json]) -> list[Json]:
    """Return messages without what receipts say of them."""
    return [{name: it for name, it in item.items() if name != "status"} for item in items]


async def test_each_process_may_be_killed_and_nothing_acknowledged_is_lost(
    small: World,
) -> None:
    ann, bob = await small.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    said = []

    for name in KILLED:
        said.append(await say(ann, conversation_id, f"before {name} was killed"))
        await small.stack.kill(name)
        said.append(await say(bob, conversation_id, f"after {name} was killed"))
        assert stored(await read(bob, conversation_id)) == stored(said)

    await small.stack.healthy()
    hub = await connect(bob)
    said.append(await say(ann, conversation_id, "all is well"))
    await hub.wait_for("messagePosted", lambda it: it["message"]["body"] == "all is well")
    assert [item["sequence"] for item in said] == list(range(1, len(said) + 1))
    assert stored(await read(ann, conversation_id)) == stored(said)


async def test_a_connection_that_was_cut_connects_anew_and_catches_up(small: World) -> None:
    ann, bob = await small.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    hub = await connect(bob)
    first = await say(ann, conversation_id, "first")
    await hub.wait_for("messagePosted")

    await small.stack.kill("signalr")
    missed = await say(ann, conversation_id, "missed")
    again = await connect(bob)
    asked = {"positions": {conversation_id: first["sequence"]}}
    answer = await insist(lambda: bob.call("POST", "/sync", asked))
    last = await say(ann, conversation_id, "heard again")

    assert not hub.is_open
    assert stored(answer.json["items"][0]["messages"]) == stored([missed])
    heard = await again.wait_for("messagePosted", lambda it: it["message"]["sequence"] == 3)
    assert heard["message"] == last


async def test_everything_is_there_after_the_whole_stack_was_killed(small: World) -> None:
    ann, bob, cyd = await small.people("ann", "bob", "cyd")
    direct, group = await ann.direct(bob), await ann.group(bob, cyd, title="Kept")
    said = [await say(ann, direct, str(number)) for number in range(12)]
    in_group = await say(cyd, group, "to all")
    await bob.acknowledge(direct, read=7)
    await bob.good("PATCH", "/me/settings", {"preview": "text"})
    await cyd.good("PUT", f"/blocks/{ann.user_id}")

    small.stack.kill_all()
    # Not in a thread of the loop's: the kernel ends the stack with the thread that started it.
    small.stack.start()

    assert stored(await read(bob, direct)) == stored(said)
    assert stored(await read(bob, group)) == stored([in_group])
    inbox = (await bob.good("GET", "/conversations"))["items"]
    assert {item["conversation"]["id"] for item in inbox} == {direct, group}
    assert (await bob.good("GET", "/me"))["settings"]["preview"] == "text"
    assert (await cyd.good("GET", "/me"))["settings"]["blocked"] == [ann.user_id]
    hub = await connect(bob)
    fresh = await say(ann, direct, "and on")
    assert fresh["sequence"] == 13
    assert (await hub.wait_for("messagePosted"))["message"] == fresh
    assert (await bob.acknowledge(direct, read=13))["read"] == 13
