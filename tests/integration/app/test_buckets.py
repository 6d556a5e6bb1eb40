"""Where buckets end, after five messages here: nothing is lost, doubled or skipped there.

Two worker processes serve this stack, so that only the store can keep the order.
"""

import asyncio
import random

import pytest

from tests.hub import Hub
from tests.integration.app.conftest import BUCKET_SIZE
from tests.integration.app.people import Json, Person, World, message

pytestmark = pytest.mark.stack

EACH = 15


async def attempt(person: Person, hub: Hub, conversation_id: str, asked: Json) -> Json:
    """Send by hub or by HTTP, as it falls; return the stored message."""
    if random.random() < 0.5:  # any order will do
        result = await hub.invoke("sendMessage", {"conversationId": conversation_id, **asked})
        assert result["ok"], result
        stored: Json = result["message"]
        return stored
    path = f"/conversations/{conversation_id}/messages"
    posted: Json = (await person.good("POST", path, asked))["message"]
    return posted


async def test_attempts_racing_over_the_ends_of_buckets_store_each_message_once(
    small: World,
) -> None:
    people = await small.people("ann", "bob", "cyd", "dan")
    conversation_id = await people[0].group(*people[1:])
    hubs = [await person.connect() for person in people]
    drafts = [(n % 4, message(f"message {n}")) for n in range(4 * EACH)]
    tries = [(who, asked | retry) for who, asked in drafts for retry in ({}, {}, {"retry": True})]

    answers = await asyncio.gather(
        *(attempt(people[who], hubs[who], conversation_id, asked) for who, asked in tries)
    )

    history = await people[1].read(conversation_id)
    by_id = {item["clientMessageId"]: item for item in history}
    assert [item["sequence"] for item in history] == list(range(1, 4 * EACH + 1))
    assert set(by_id) == {asked["clientMessageId"] for _, asked in drafts}
    for answer, (who, asked) in zip(answers, tries, strict=True):
        # Who answers has read what came before, so the status of what others wrote goes on.
        assert answer == by_id[asked["clientMessageId"]] | {"status": "sent"}
        assert answer["senderId"] == people[who].user_id


async def test_a_repeat_long_after_its_bucket_ended_is_still_the_original(small: World) -> None:
    ann, bob = await small.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    drafts = [message(str(number)) for number in range(3 * BUCKET_SIZE + 1)]
    path = f"/conversations/{conversation_id}/messages"
    originals = [(await ann.good("POST", path, asked))["message"] for asked in drafts]

    repeats = [
        await ann.call("POST", path, asked | more)
        for asked in drafts
        for more in ({"retry": True}, {})
    ]

    assert {reply.status for reply in repeats} == {200}
    assert [reply.json["message"] for reply in repeats[::2]] == originals
    assert await ann.read(conversation_id) == originals


@pytest.mark.parametrize("limit", [3, BUCKET_SIZE, 7, 100])
async def test_pages_go_over_the_ends_of_buckets_without_a_seam(small: World, limit: int) -> None:
    ann, bob = await small.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    count = 4 * BUCKET_SIZE  # the newest message ends its bucket
    for number in range(1, count + 1):
        await (ann if number % 3 else bob).say(conversation_id, str(number))
    forth: list[str] = []
    back: list[str] = []

    after, before = 0, count + 1
    while page := await bob.read(conversation_id, f"after={after}&limit={limit}"):
        forth += [item["body"] for item in page]
        after = page[-1]["sequence"]
    while page := await bob.read(conversation_id, f"before={before}&limit={limit}"):
        back = [item["body"] for item in page] + back
        before = page[0]["sequence"]

    assert forth == [str(number) for number in range(1, count + 1)]
    assert back == forth
