"""Limits per user: refused with the time to wait, and let through after it."""

import asyncio

import pytest

from tests.integration.app.conftest import MESSAGES_BURST
from tests.integration.app.people import World, code_of, message

pytestmark = pytest.mark.stack


async def test_the_sixth_message_in_a_row_waits_and_is_taken_after_it(tuned: World) -> None:
    ann, bob = await tuned.people("ann", "bob")
    conversation_id = await ann.direct(bob)

    replies = await asyncio.gather(*(ann.post(conversation_id) for _ in range(MESSAGES_BURST + 4)))
    refused = [reply for reply in replies if reply.status != 201]
    await asyncio.sleep(max(reply.json["retryAfterMs"] for reply in refused) / 1000)
    later = await ann.post(conversation_id)

    assert {(reply.status, code_of(reply)) for reply in refused} == {(429, "rate_limited")}
    assert all(0 < reply.json["retryAfterMs"] <= 1000 for reply in refused)
    assert {reply.headers["retry-after"] for reply in refused} == {"1"}
    assert later.status == 201
    stored = len(await bob.read(conversation_id))
    assert stored == len(replies) - len(refused) + 1


async def test_hub_and_http_draw_on_one_limit_which_is_the_users_own(tuned: World) -> None:
    ann, bob = await tuned.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    hub = await ann.connect()
    asked = [{"conversationId": conversation_id, **message()} for _ in range(100)]

    results = await asyncio.gather(*(hub.invoke("sendMessage", one) for one in asked))
    by_http = await asyncio.gather(*(ann.post(conversation_id) for _ in range(30)))
    others = await bob.post(conversation_id)

    refused = [result for result in results if not result["ok"]]
    assert {code_of(result) for result in refused} == {"rate_limited"}
    assert all(result["error"]["retryAfterMs"] > 0 for result in refused)
    assert {result["error"]["clientMessageId"] for result in refused} <= {
        one["clientMessageId"] for one in asked
    }
    assert 429 in {reply.status for reply in by_http}
    assert others.status == 201


async def test_new_conversations_have_a_limit_of_their_own(world: World) -> None:
    ann = await world.person("ann")
    asked = {"kind": "group", "memberIds": []}

    replies = await asyncio.gather(*(ann.call("POST", "/conversations", asked) for _ in range(90)))

    refused = [reply for reply in replies if reply.status != 201]
    assert refused
    assert len(replies) - len(refused) >= 30
    assert {(reply.status, code_of(reply)) for reply in refused} == {(429, "rate_limited")}
    assert all(0 < reply.json["retryAfterMs"] <= 2001 for reply in refused)
    assert (await ann.call("GET", "/conversations")).status == 200
