"""How many connections a user may have, and how fast, on the whole stack."""

import asyncio

import pytest

from tests.integration.app.people import World, code_of, message

pytestmark = pytest.mark.stack


async def test_a_connection_too_many_closes_the_oldest_and_nothing_else(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    hubs = [await ann.connect() for _ in range(20)]
    for one in hubs:  # its `connected` has been handled by then
        await one.invoke("heartbeat", {})
    assert all(one.is_open for one in hubs)

    newest = await ann.connect()
    await hubs[0].closed(within_s=30)
    assert hubs[0].close_reason == "too many connections"
    await bob.say(conversation_id, "hello")

    await newest.wait_for("messagePosted")
    for one in hubs[1:]:
        await one.wait_for("messagePosted")
        assert one.is_open
    sent = await newest.invoke("sendMessage", {"conversationId": conversation_id, **message()})
    assert sent["ok"]


async def test_negotiating_without_end_is_refused_with_the_time_to_wait(world: World) -> None:
    ann, bob = await world.people("ann", "bob")

    replies = await asyncio.gather(
        *(
            ann.call("POST", "/negotiate", headers={"x-ms-signalr-userid": ann.user_id})
            for _ in range(240)
        )
    )
    other = await bob.call("POST", "/negotiate", headers={"x-ms-signalr-userid": bob.user_id})

    refused = [one for one in replies if one.status != 200]
    assert refused
    assert {(one.status, code_of(one)) for one in refused} == {(429, "rate_limited")}
    assert all(one.json["retryAfterMs"] > 0 and b"accessToken" not in one.body for one in refused)
    assert other.status == 200


async def test_the_heartbeat_says_how_to_come_back(world: World) -> None:
    ann = await world.person("ann")

    beat = await (await ann.connect()).invoke("heartbeat", {})

    assert beat["reconnectWithinMs"] >= 0
