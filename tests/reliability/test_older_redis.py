"""A Redis that comes back older than it was: nothing that nobody touches since is missing.

The talk's `redis-rewound` cannot show this: there everybody goes on talking, and the next message
makes a conversation known again. Here nothing is said afterwards.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.app.people import Person, World, eventually
from tests.reliability.stack_probe import act, conversation_item, put_back, remembered

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(300)]

_SETTLED_S = 30.0


async def synced(person: Person, conversation: str, position: int) -> list[str]:
    """Return the bodies that a sync brings of a conversation known up to *position*."""
    answer = await person.good("POST", "/sync", {"positions": {conversation: position}})
    items = {one["conversationId"]: one for one in answer["items"]}
    messages = items.get(conversation, {"messages": []})["messages"]
    return [one["body"] for one in messages]


async def row(person: Person, conversation: str) -> dict[str, Any]:
    """Return the conversation's row of the inbox, or nothing."""
    items = (await person.good("GET", "/conversations?limit=100"))["items"]
    return next((one for one in items if one["conversation"]["id"] == conversation), {})


async def flushed(world: World, conversation: str, head: int) -> None:
    """Return when the store has the live state up to *head*: the change feed has passed it."""

    async def at() -> int:
        item = await conversation_item(world.stack, conversation)
        return int((item.get("live") or {"head": 0})["head"])

    await eventually(at, lambda known: known >= head, _SETTLED_S)


async def come_back_older(world: World, older: Path) -> None:
    """Put older data back, and have no worker left that remembers newer ones."""
    await put_back(world.stack, older)
    for worker in ("worker-1", "worker-2"):
        await act(world.stack, worker, "kill")
    await world.stack.healthy(60)


async def test_a_quiet_conversation_lacks_nothing_in_sync_and_inbox(two: World) -> None:
    ann, bob = await two.people("ann", "bob")
    place = await ann.direct(bob)
    for number in range(3):
        await ann.say(place, f"early {number}")
    older = remembered(two.stack)
    late = [f"late {number}" for number in range(6)]
    for body in late:
        await ann.say(place, body)
    await bob.acknowledge(place, read=8)
    await flushed(two, place, 9)

    await come_back_older(two, older)

    await eventually(lambda: synced(bob, place, 3), lambda bodies: bodies == late, _SETTLED_S)
    shown = await eventually(
        lambda: row(bob, place), lambda one: one and one["unreadCount"] == 1, _SETTLED_S
    )
    assert shown["lastMessage"]["body"] == late[-1]
    assert shown["receipt"]["read"] == 8
    assert (await ann.say(place, "and on"))["sequence"] == 10


async def test_a_conversation_made_since_is_in_inbox_and_sync(two: World) -> None:
    ann, bob = await two.people("ann", "bob")
    known = await ann.direct(bob)
    await ann.say(known, "long known")
    await bob.good("GET", "/conversations")
    older = remembered(two.stack)
    place = await ann.group(bob, title="new")
    await ann.say(place, "first")
    await flushed(two, place, 1)

    await come_back_older(two, older)

    shown = await eventually(lambda: row(bob, place), bool, _SETTLED_S)
    assert shown["lastMessage"]["body"] == "first"
    assert await synced(bob, place, 0) == ["first"]
