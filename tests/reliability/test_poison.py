"""What makes a function fail is passed, kept with its reason, and tried again when asked."""

import uuid
from typing import Any

import pytest

from tests.integration.app.people import Person, World, eventually
from tests.reliability.stack_probe import (
    conversation_item,
    dead_letters,
    put_item,
    put_on_queue,
    redis,
)

pytestmark = [pytest.mark.stack, pytest.mark.slow]


async def subscribe(person: Person) -> None:
    """Let *person* be notified on a device."""
    reply = await person.world.call("POST", "/dev/push-subscription", {"userId": person.user_id})
    subscription = {name: reply.json[name] for name in ("endpoint", "keys")}
    await person.good("PUT", "/push-subscriptions/device", subscription)
    await person.good("PATCH", "/me/settings", {"preview": "text"})


async def notified(person: Person) -> list[str]:
    path = f"/dev/notifications?userId={person.user_id}"
    return [one["body"] for one in (await person.world.call("GET", path)).json["items"]]


async def letters_of(world: World, function: str) -> list[dict[str, Any]]:
    return [one for one in await dead_letters(world.stack) if one.get("function") == function]


def message_item(conversation: str, sender: str, body: str) -> dict[str, Any]:
    return {
        "id": "000000000001",
        "conversationId": conversation,
        "bucket": 0,
        "sequence": 1,
        "senderId": sender,
        "clientMessageId": str(uuid.uuid4()),
        "kind": "text",
        "body": body,
        "attachments": [],
        "replyTo": None,
        "sentAt": 1_790_000_000_000,
    }


async def test_a_poisoned_document_of_the_feed_is_passed_kept_and_replayed(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    await subscribe(bob)
    place = await ann.direct(bob)
    template = await conversation_item(world.stack, place)
    poisoned = f"g-{uuid.uuid4().hex}"
    whole = {**template, "id": poisoned, "kind": "group", "title": "whole again"}
    await put_item(world.stack, "conversations", {"id": poisoned, "kind": "group"})
    await put_item(world.stack, "messages", message_item(poisoned, ann.user_id, "poisoned"))
    await ann.say(place, "behind it")

    await eventually(lambda: notified(bob), lambda bodies: "behind it" in bodies)
    kept = await eventually(
        lambda: letters_of(world, "notify_absent"),
        lambda letters: any(poisoned in one["body"] for one in letters),
    )

    (letter,) = [one for one in kept if poisoned in one["body"]]
    assert letter["reason"].startswith("KeyError in conversation_from_item")
    assert letter["why"] == "MaxDeliveryCountExceeded"
    await put_item(world.stack, "conversations", whole)
    assert (await world.run("replay_poison", "")).status == 200
    await eventually(lambda: notified(bob), lambda bodies: "poisoned" in bodies)


async def test_a_poisoned_message_of_the_queue_is_passed_and_kept(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    await subscribe(bob)
    place = await ann.direct(bob)
    await put_on_queue(world.stack, f'{{"nonsense": "{world.mark}"}}')
    await ann.say(place, "behind it")

    await eventually(lambda: notified(bob), lambda bodies: "behind it" in bodies)
    await eventually(
        lambda: dead_letters(world.stack),
        lambda letters: any(
            world.mark in one["body"] and one["why"] == "MaxDeliveryCountExceeded"
            for one in letters
        ),
    )


async def test_a_poisoned_conversation_of_the_flush_is_passed_kept_and_replayed(
    world: World,
) -> None:
    ann, bob = await world.people("ann", "bob")
    place, other = await ann.direct(bob), await ann.group(bob)
    await ann.say(place)

    async def flushed(conversation: str) -> int:
        item = await conversation_item(world.stack, conversation)
        return int((item.get("live") or {"head": 0})["head"])

    await eventually(lambda: flushed(place), lambda head: head == 1)
    async with redis(world.stack) as client:
        await client.hset(f"conversation:{{{place}}}", "d:somebody", "not a number")
        await ann.say(place)
        await ann.say(other)

        await eventually(lambda: flushed(other), lambda head: head == 1)
        await eventually(
            lambda: letters_of(world, "flush_receipts"),
            lambda letters: any(place in one["body"] for one in letters),
        )
        assert await flushed(place) == 1
        await client.hdel(f"conversation:{{{place}}}", "d:somebody")

    assert (await world.run("replay_poison", "")).status == 200
    await eventually(lambda: flushed(place), lambda head: head == 2)


async def test_a_conversation_whose_key_is_broken_holds_up_no_other_flush(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    place, other = await ann.direct(bob), await ann.group(bob)

    async def flushed(conversation: str) -> int:
        item = await conversation_item(world.stack, conversation)
        return int((item.get("live") or {"head": 0})["head"])

    async with redis(world.stack) as client:
        await client.set(f"conversation:{{{place}}}", "not a hash")
        await ann.say(place, "stored all the same")
        await ann.say(other)

        await eventually(lambda: flushed(other), lambda head: head == 1)
        await eventually(
            lambda: letters_of(world, "flush_receipts"),
            lambda letters: any(place in one["body"] for one in letters),
        )
        await client.delete(f"conversation:{{{place}}}")

    await ann.say(place)
    await eventually(lambda: flushed(place), lambda head: head == 2)
    first, _ = await bob.read(place)
    assert first["body"] == "stored all the same"
