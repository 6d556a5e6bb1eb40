"""Typing signals: to the others, not too often, in small conversations only."""

import asyncio

import pytest

from tests.hub import Hub
from tests.integration.app.people import World

pytestmark = pytest.mark.stack


async def signal(hub: Hub, conversation_id: str, typing: bool = True) -> None:
    result = await hub.invoke("setTyping", {"conversationId": conversation_id, "typing": typing})
    assert result == {"ok": True}


async def test_the_other_hears_that_one_types_and_that_one_stopped(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    sender, other = await ann.connect(), await bob.connect()

    await signal(sender, conversation_id)
    await signal(sender, conversation_id, False)

    await other.wait_for("typing", lambda it: not it["typing"])
    assert other.heard("typing") == [
        {"conversationId": conversation_id, "userId": ann.user_id, "typing": typing}
        for typing in (True, False)
    ]
    assert sender.heard("typing") == []


async def test_signals_within_a_moment_are_passed_on_once(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    sender, other = await ann.connect(), await bob.connect()

    for _ in range(5):
        await signal(sender, conversation_id)
    await ann.say(conversation_id, "what I typed")

    await other.wait_for("messagePosted")
    assert len(other.heard("typing")) == 1


async def test_typing_cannot_be_toggled_into_a_flood(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    sender, other = await ann.connect(), await bob.connect()
    began = asyncio.get_running_loop().time()

    for number in range(100):
        await signal(sender, conversation_id, number % 2 == 0)
    passed_s = asyncio.get_running_loop().time() - began
    await ann.say(conversation_id, "what I typed")

    await other.wait_for("messagePosted")
    assert 2 <= len(other.heard("typing")) <= 2 * (1 + passed_s / 2.5)


async def test_stopping_without_having_typed_is_no_news(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    sender, other = await ann.connect(), await bob.connect()

    await signal(sender, conversation_id, False)
    await ann.say(conversation_id)

    await other.wait_for("messagePosted")
    assert other.heard("typing") == []


@pytest.mark.parametrize(("others", "count"), [(18, 1), (19, 0)])
async def test_a_group_of_20_hears_of_typing_and_a_larger_one_does_not(
    world: World, others: int, count: int
) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.group(bob, *await world.crowd(others))
    sender, other = await ann.connect(), await bob.connect()

    await signal(sender, conversation_id)
    await ann.say(conversation_id)

    await other.wait_for("messagePosted")
    assert len(other.heard("typing")) == count
