"""A user of more groups than SignalR Service remembers for them."""

import asyncio

import pytest

from tests.hub import Hub
from tests.integration.app.people import Person, World

pytestmark = pytest.mark.stack

COUNT = 150


async def speak(makers: list[Person], ids: list[str], text: str) -> None:
    slots = asyncio.Semaphore(8)

    async def one(maker: Person, conversation_id: str) -> None:
        async with slots:
            await maker.say(conversation_id, text)

    await asyncio.gather(*map(one, makers, ids))


def heard(hub: Hub, text: str) -> set[str]:
    pushed = hub.heard("messagePosted", lambda it: it["message"]["body"] == text)
    return {each["message"]["conversationId"] for each in pushed}


async def test_a_user_in_150_groups_hears_all_of_them_on_an_old_and_a_new_connection(
    world: World,
) -> None:
    zoe, *makers = await world.people("zoe", "ann", "bob", "cyd", "dan", "eve", "fay")
    old = await zoe.connect()
    turns = [makers[number % len(makers)] for number in range(COUNT)]
    slots = asyncio.Semaphore(8)

    async def start(maker: Person) -> str:
        async with slots:
            return await maker.group(zoe)

    ids = list(await asyncio.gather(*map(start, turns)))
    await speak(turns, ids, "to the old one")
    await old.until(lambda: heard(old, "to the old one") == set(ids), "not all heard")

    new = await zoe.connect()
    # The groups the service has forgotten are joined one by one: wait until the first group is.
    while ids[0] not in heard(new, "are you there?"):
        await speak(turns[:1], ids[:1], "are you there?")
        await asyncio.sleep(0.1)
    await speak(turns, ids, "to the new one")

    await old.until(lambda: heard(old, "to the new one") == set(ids), "not all heard")
    await new.until(lambda: heard(new, "to the new one") == set(ids), "not all heard")
