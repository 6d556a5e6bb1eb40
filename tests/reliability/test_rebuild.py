"""Everything derived can be put back from the store, at any time, twice, under load."""

import asyncio
from typing import Any

import pytest

from tests.integration.app.people import Person, World, eventually
from tests.reliability.stack_probe import conversation_item, redis

pytestmark = [pytest.mark.stack, pytest.mark.slow]


async def derived(world: World, conversation: str, users: list[str]) -> dict[str, Any]:
    """Return what Redis holds of a conversation and of its members' inboxes."""
    async with redis(world.stack) as client:
        fields = await client.hgetall(f"conversation:{{{conversation}}}")
        inboxes = {user: await client.zscore(f"inbox:{{{user}}}", conversation) for user in users}
    marks = {name: value for name, value in fields.items() if name[:2] in {"d:", "r:"}}
    return {"head": fields.get("head"), "marks": marks, "inboxes": inboxes}


async def settled(world: World, ann: Person, bob: Person) -> tuple[str, dict[str, Any]]:
    """Return a conversation with messages, receipts and inboxes, all flushed to the store."""
    place = await ann.group(bob)
    for number in range(7):
        await ann.say(place, f"number {number}")
    await bob.acknowledge(place, delivered=6, read=4)
    for person in (ann, bob):
        await person.good("GET", "/conversations")

    async def read_by_bob() -> int:
        live = (await conversation_item(world.stack, place)).get("live") or {"receipts": {}}
        return int(live["receipts"].get(bob.user_id, {"read": 0})["read"])

    await eventually(read_by_bob, lambda read: read == 4)
    return place, await derived(world, place, [ann.user_id, bob.user_id])


@pytest.mark.parametrize("what", ["conversation", "user", "all"])
async def test_what_redis_lost_is_put_back(world: World, what: str) -> None:
    ann, bob = await world.people("ann", "bob")
    place, before = await settled(world, ann, bob)
    users = [ann.user_id, bob.user_id]
    async with redis(world.stack) as client:
        await client.flushall()

    given = {"conversation": place, "user": bob.user_id, "all": "all"}[what]
    assert (await world.run("rebuild", given)).status == 200

    def is_back(now: dict[str, Any]) -> bool:
        return bool(now["head"] == before["head"] and now["marks"] == before["marks"])

    await eventually(lambda: derived(world, place, users), is_back)
    assert (await world.run("rebuild", bob.user_id)).status == 200
    now = await derived(world, place, users)
    assert now["inboxes"][bob.user_id] == before["inboxes"][bob.user_id]


async def test_rebuilding_twice_changes_nothing(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    place, _ = await settled(world, ann, bob)
    users = [ann.user_id, bob.user_id]

    seen = []
    for _ in range(2):
        assert (await world.run("rebuild", place)).status == 200
        assert (await world.run("rebuild", bob.user_id)).status == 200
        seen.append(await derived(world, place, users))

    assert seen[0] == seen[1]


async def test_a_conversation_that_is_not_there_is_no_success(world: World) -> None:
    assert (await world.run("rebuild", "d-" + "0" * 32)).status == 500


async def test_rebuilding_under_load_loses_and_doubles_nothing(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    place = await ann.group(bob)

    async def talk(person: Person) -> None:
        for number in range(30):
            await person.say(place, f"{person.user_id} {number}")

    async def disturb() -> None:
        async with redis(world.stack) as client:
            for _ in range(3):
                await client.flushall()
                assert (await world.run("rebuild", "all")).status == 200
                await asyncio.sleep(0.2)

    await asyncio.gather(talk(ann), talk(bob), disturb())

    messages = await bob.read(place)
    assert [one["sequence"] for one in messages] == list(range(1, 61))
    assert len({one["clientMessageId"] for one in messages}) == 60
    inbox = await bob.good("GET", "/conversations")
    assert [one["conversation"]["latestSequence"] for one in inbox["items"]] == [60]
