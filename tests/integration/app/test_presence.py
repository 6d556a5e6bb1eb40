"""Presence: who is online, who hears of it, and how it recovers. Leases last three seconds here."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import redis.asyncio as redis

from tests.hub import Hub
from tests.integration.app.conftest import LEASE_S
from tests.integration.app.people import Json, Person, World, code_of, eventually

pytestmark = pytest.mark.stack


async def presence(asking: Person, of: Person) -> Json:
    (one,) = (await asking.good("GET", f"/presence?userIds={of.user_id}"))["items"]
    shown: Json = one
    return shown


async def becomes(asking: Person, of: Person, status: str) -> Json:
    """Return the presence of *of* once it is *status*."""
    return await eventually(lambda: presence(asking, of), lambda shown: shown["status"] == status)


def changes(hub: Hub, of: Person) -> list[str]:
    """Return what *hub* has heard of that person's comings and goings."""
    return [
        item["status"]
        for event in hub.heard("presenceChanged")
        for item in event["items"]
        if item["userId"] == of.user_id
    ]


@asynccontextmanager
async def beating(hub: Hub) -> AsyncIterator[None]:
    """Keep *hub* alive as a client does."""

    async def beat() -> None:
        while True:
            await hub.invoke("heartbeat", {})
            await asyncio.sleep(LEASE_S / 4)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_one_who_never_came_is_offline_and_was_never_seen(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    nobody = f"nobody-{world.mark}"

    items = (await ann.good("GET", f"/presence?userIds={bob.user_id},{nobody}"))["items"]

    assert items == [
        {"userId": bob.user_id, "status": "offline", "lastSeenAt": None},
        {"userId": nobody, "status": "offline", "lastSeenAt": None},
    ]


async def test_a_connection_brings_online_and_its_end_offline(world: World) -> None:
    ann, bob = await world.people("ann", "bob")

    hub = await bob.connect()
    online = await becomes(ann, bob, "online")
    await hub.close()
    offline = await becomes(ann, bob, "offline")

    assert isinstance(online["lastSeenAt"], int)
    assert offline["lastSeenAt"] >= online["lastSeenAt"]


async def test_who_leaves_one_of_two_devices_stays_online(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    watcher = await ann.connect()
    await watcher.invoke("watchPresence", {"userIds": [bob.user_id]})
    phone, laptop = await bob.connect(), await bob.connect()
    await laptop.invoke("heartbeat", {})

    await phone.close()
    await laptop.close()

    await watcher.until(lambda: "offline" in changes(watcher, bob), "never offline")
    assert changes(watcher, bob) == ["online", "offline"]


async def test_watching_answers_with_how_they_are_and_tells_of_every_change(
    world: World,
) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    hub, of_bob = await ann.connect(), await bob.connect()
    await becomes(ann, bob, "online")

    result = await hub.invoke("watchPresence", {"userIds": [cyd.user_id, bob.user_id]})
    await of_bob.close()
    await cyd.connect()

    assert [item["status"] for item in result["items"]] == ["offline", "online"]
    await hub.until(lambda: changes(hub, bob) == ["offline"], "Bob's going not heard")
    await hub.until(lambda: changes(hub, cyd) == ["online"], "Cyd's coming not heard")


async def test_watching_others_replaces_who_was_watched(world: World) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    hub = await ann.connect()
    await hub.invoke("watchPresence", {"userIds": [bob.user_id]})

    await hub.invoke("watchPresence", {"userIds": [cyd.user_id]})
    await bob.connect()
    await becomes(ann, bob, "online")
    await cyd.connect()

    await hub.until(lambda: changes(hub, cyd) == ["online"], "Cyd's coming not heard")
    assert changes(hub, bob) == []


async def test_one_connections_watching_is_not_anothers(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    watching, other = await ann.connect(), await ann.connect()
    await watching.invoke("watchPresence", {"userIds": [bob.user_id]})

    await bob.connect()

    await watching.until(lambda: changes(watching, bob) == ["online"], "not heard")
    await other.invoke("heartbeat", {})
    assert changes(other, bob) == []


@pytest.mark.parametrize(("count", "good"), [(0, True), (50, True), (51, False)])
async def test_at_most_fifty_are_watched_at_once(world: World, count: int, good: bool) -> None:
    ann = await world.person("ann")
    hub = await ann.connect()

    result = await hub.invoke("watchPresence", {"userIds": [f"u{n}" for n in range(count)]})

    assert result["ok"] is good
    if good:
        assert len(result["items"]) == count
    else:
        assert code_of(result) == "invalid"


@pytest.mark.parametrize(
    ("ids", "status"),
    [(200, 200), (201, 400), (0, 400)],
)
async def test_at_most_200_are_asked_for_at_once(world: World, ids: int, status: int) -> None:
    ann = await world.person("ann")
    asked = ",".join(f"u{number}" for number in range(ids))

    reply = await ann.call("GET", f"/presence?userIds={asked}")

    assert reply.status == status


async def test_a_silent_connection_lapses_and_any_call_brings_it_back(tuned: World) -> None:
    ann, bob = await tuned.people("ann", "bob")
    watcher, silent = await ann.connect(), await bob.connect()
    async with beating(watcher):
        await watcher.invoke("watchPresence", {"userIds": [bob.user_id]})

        await watcher.until(lambda: "offline" in changes(watcher, bob), "no lapse")
        lapsed = await presence(ann, bob)
        await silent.invoke("watchPresence", {"userIds": []})
        await watcher.until(lambda: changes(watcher, bob)[-1] == "online", "not back")

    assert lapsed["status"] == "offline"
    assert isinstance(lapsed["lastSeenAt"], int)
    assert (await presence(ann, ann))["status"] == "online"


async def test_a_beating_connection_outlives_its_first_lease(tuned: World) -> None:
    ann, bob, cyd = await tuned.people("ann", "bob", "cyd")
    watcher, alive = await ann.connect(), await bob.connect()
    await becomes(ann, bob, "online")
    async with beating(watcher), beating(alive):
        await watcher.invoke("watchPresence", {"userIds": [bob.user_id, cyd.user_id]})
        await cyd.connect()

        # Cyd came later and says nothing: when Cyd has lapsed, Bob's first lease is long over.
        await watcher.until(lambda: "offline" in changes(watcher, cyd), "no lapse")

        assert (await presence(ann, bob))["status"] == "online"
        assert changes(watcher, bob) in ([], ["online"])


async def test_a_heartbeat_names_the_next_one_and_counts_messages(tuned: World) -> None:
    ann, bob = await tuned.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    hub = await bob.connect()
    before = await hub.invoke("heartbeat", {})

    for _ in range(3):
        await ann.say(conversation_id)
    after = await hub.invoke("heartbeat", {})

    assert after["activity"] == before["activity"] + 3
    assert after["nextInMs"] == 1000
    assert after["serverTime"] >= before["serverTime"]


async def test_every_change_is_published_to_the_website(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    port = world.stack.ports.redis
    async with (
        redis.Redis(port=port, decode_responses=True) as client,
        client.pubsub() as channel,
    ):
        await channel.subscribe("presence")
        hub = await bob.connect()
        await becomes(ann, bob, "online")
        await hub.close()
        await becomes(ann, bob, "offline")

        heard: list[Json] = []
        async with asyncio.timeout(15):
            while [it["status"] for it in heard] != ["online", "offline"]:
                said = await channel.get_message(ignore_subscribe_messages=True, timeout=5)
                shown = json.loads(said["data"]) if said else {}
                heard += [shown] if shown.get("userId") == bob.user_id else []

    assert {frozenset(it) for it in heard} == {frozenset({"userId", "status", "lastSeenAt"})}
