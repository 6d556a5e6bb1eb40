"""Sending: by the hub and over HTTP, once, in order, within its limits."""

import asyncio
import uuid
from typing import Any

import pytest

from tests.hub import Hub
from tests.integration.app.people import Person, World, code_of, message

pytestmark = pytest.mark.stack

EMOJI = "👩🏽‍🚀 says 你好, שלום & “quotes” \\ \t\n 👍🏿"


async def pair(world: World) -> tuple[Person, Person, str]:
    ann, bob = await world.people("ann", "bob")
    return ann, bob, await ann.direct(bob)


async def send(hub: Hub, conversation_id: str, body: str = "hello", **more: object) -> Any:
    asked = {"conversationId": conversation_id, **message(body), **more}
    return await hub.invoke("sendMessage", asked)


async def test_a_message_sent_by_the_hub_is_returned_pushed_and_read_back_alike(
    world: World,
) -> None:
    ann, bob, conversation_id = await pair(world)
    sender, receiver = await ann.connect(), await bob.connect()
    client_message_id = str(uuid.uuid4())

    result = await send(sender, conversation_id, "hi Bob", clientMessageId=client_message_id)

    stored = result["message"]
    pushed = await receiver.wait_for("messagePosted")
    assert result["ok"] is True
    assert stored == {
        "conversationId": conversation_id,
        "sequence": 1,
        "senderId": ann.user_id,
        "clientMessageId": client_message_id,
        "kind": "text",
        "body": "hi Bob",
        "attachments": [],
        "replyTo": None,
        "sentAt": stored["sentAt"],
        "status": "sent",
    }
    assert isinstance(stored["sentAt"], int)
    assert pushed["message"] == stored
    assert await bob.read(conversation_id) == [stored]


async def test_a_message_posted_over_http_reaches_every_device_of_both(world: World) -> None:
    ann, bob, conversation_id = await pair(world)
    devices = [await person.connect() for person in (ann, ann, bob, bob)]

    posted = await ann.say(conversation_id, "over HTTP")

    heard = await asyncio.gather(*(device.wait_for("messagePosted") for device in devices))
    assert [each["message"] for each in heard] == [posted] * 4


async def test_the_senders_other_device_hears_what_was_sent_by_the_hub(world: World) -> None:
    ann, _, conversation_id = await pair(world)
    phone, laptop = await ann.connect(), await ann.connect()

    result = await send(phone, conversation_id)

    heard = await laptop.wait_for("messagePosted")
    assert heard["message"] == result["message"]


async def test_messages_by_hub_and_http_share_one_count_without_gaps(world: World) -> None:
    ann, bob, conversation_id = await pair(world)
    hub = await bob.connect()

    for number in range(6):
        if number % 2:
            await ann.say(conversation_id, str(number))
        else:
            await send(hub, conversation_id, str(number))

    history = await ann.read(conversation_id)
    assert [item["sequence"] for item in history] == [1, 2, 3, 4, 5, 6]
    assert [item["body"] for item in history] == list("012345")
    assert [item["sentAt"] for item in history] == sorted(item["sentAt"] for item in history)


async def test_many_at_once_get_each_a_sequence_of_their_own(world: World) -> None:
    ann, bob, conversation_id = await pair(world)
    hub = await bob.connect()

    await asyncio.gather(
        *(ann.say(conversation_id, f"a{number}") for number in range(15)),
        *(send(hub, conversation_id, f"b{number}") for number in range(15)),
    )

    history = await ann.read(conversation_id)
    assert [item["sequence"] for item in history] == list(range(1, 31))
    assert len({item["clientMessageId"] for item in history}) == 30


async def test_one_connection_keeps_its_order_when_each_send_awaits_the_one_before(
    world: World,
) -> None:
    ann, bob, conversation_id = await pair(world)
    sender, receiver = await ann.connect(), await bob.connect()

    for number in range(10):
        await send(sender, conversation_id, str(number))

    await receiver.wait_for("messagePosted", lambda it: it["message"]["sequence"] == 10)
    pushed = [each["message"]["body"] for each in receiver.heard("messagePosted")]
    assert pushed == list("0123456789")


async def test_a_repeat_over_http_is_answered_with_the_original_and_200(world: World) -> None:
    ann, bob, conversation_id = await pair(world)
    client_message_id = str(uuid.uuid4())
    original = await ann.say(conversation_id, "once", clientMessageId=client_message_id)
    await bob.say(conversation_id, "in between")

    repeat = await ann.post(conversation_id, "another text", clientMessageId=client_message_id)

    assert repeat.status == 200
    assert repeat.json["message"] == original
    assert len(await ann.read(conversation_id)) == 2


@pytest.mark.parametrize("retry", [False, True])
async def test_a_repeat_by_the_hub_of_what_http_stored_is_the_original(
    world: World, retry: bool
) -> None:
    ann, _, conversation_id = await pair(world)
    hub = await ann.connect()
    client_message_id = str(uuid.uuid4())
    original = await ann.say(conversation_id, "once", clientMessageId=client_message_id)

    result = await send(
        hub, conversation_id, "once", clientMessageId=client_message_id.upper(), retry=retry
    )

    assert result["message"] == original
    assert await ann.read(conversation_id) == [original]


async def test_a_message_marked_as_a_retry_is_stored_when_it_was_not_yet(world: World) -> None:
    ann, _, conversation_id = await pair(world)

    reply = await ann.post(conversation_id, retry=True)

    assert reply.status == 201
    assert await ann.read(conversation_id) == [reply.json["message"]]


async def test_twenty_attempts_at_once_store_one_message(world: World) -> None:
    ann, _, conversation_id = await pair(world)
    hubs = [await ann.connect(), await ann.connect()]
    asked = message("only once")

    results = await asyncio.gather(
        *(
            hubs[number % 2].invoke("sendMessage", {"conversationId": conversation_id, **asked})
            for number in range(20)
        )
    )

    history = await ann.read(conversation_id)
    assert len(history) == 1
    assert [result["message"] for result in results] == history * 20


async def test_two_people_may_use_the_same_client_message_id(world: World) -> None:
    ann, bob, conversation_id = await pair(world)
    asked = str(uuid.uuid4())

    await ann.say(conversation_id, "mine", clientMessageId=asked)
    await bob.say(conversation_id, "mine too", clientMessageId=asked)

    assert [item["sequence"] for item in await ann.read(conversation_id)] == [1, 2]


@pytest.mark.parametrize(
    "body",
    ["x", "x" * 8_000, "é" * 8_000, "👍" * 8_000, EMOJI, " leading and trailing ", "<b>&amp;</b>"],
    ids=["one", "8000", "8000 accents", "8000 emoji", "mixed", "spaces", "markup"],
)
async def test_a_body_comes_back_as_it_was_sent(world: World, body: str) -> None:
    ann, bob, conversation_id = await pair(world)
    hub, receiver = await ann.connect(), await bob.connect()

    await ann.say(conversation_id, body)
    result = await send(hub, conversation_id, body)

    pushed = await receiver.wait_for("messagePosted", lambda it: it["message"]["sequence"] == 2)
    assert result["message"]["body"] == body
    assert pushed["message"]["body"] == body
    assert [item["body"] for item in await bob.read(conversation_id)] == [body, body]


@pytest.mark.parametrize("body", ["x" * 8_001, "👍" * 8_001])
async def test_8001_characters_are_too_large_on_both_ways(world: World, body: str) -> None:
    ann, _, conversation_id = await pair(world)
    hub = await ann.connect()

    reply = await ann.post(conversation_id, body)
    result = await send(hub, conversation_id, body)

    assert (reply.status, code_of(reply)) == (413, "too_large")
    assert code_of(result) == "too_large"
    assert await ann.read(conversation_id) == []


async def test_an_iso_date_in_a_body_stays_a_text(world: World) -> None:
    ann, _, conversation_id = await pair(world)
    hub = await ann.connect()
    body = "2026-01-12T09:30:00+01:00"

    result = await send(hub, conversation_id, f"see you at {body}")

    assert result["message"]["body"] == f"see you at {body}"


async def test_a_refusal_by_the_hub_names_the_message_it_refuses(world: World) -> None:
    ann, _, conversation_id = await pair(world)
    hub = await ann.connect()
    asked = message("")

    result = await hub.invoke("sendMessage", {"conversationId": conversation_id, **asked})

    assert code_of(result) == "invalid"
    assert "body" in result["error"]["detail"]
    assert result["error"]["clientMessageId"] == asked["clientMessageId"]


async def test_a_reply_refers_to_a_message_that_is_there(world: World) -> None:
    ann, bob, conversation_id = await pair(world)
    await ann.say(conversation_id, "question")

    answer = await bob.say(conversation_id, "answer", replyTo=1)
    refused = await bob.post(conversation_id, "answer", replyTo=3)

    assert answer["replyTo"] == 1
    assert (refused.status, code_of(refused)) == (400, "invalid")
    assert "replyTo" in refused.json["detail"]


async def test_status_goes_from_sent_over_delivered_to_read(world: World) -> None:
    ann, bob, conversation_id = await pair(world)
    await ann.say(conversation_id)
    seen = []

    for watermarks in ({}, {"delivered": 1}, {"read": 1}):
        if watermarks:
            await bob.acknowledge(conversation_id, **watermarks)
        seen += [item["status"] for item in await ann.read(conversation_id)]

    assert seen == ["sent", "delivered", "read"]


async def test_status_of_a_group_is_the_least_that_any_other_member_did(world: World) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    conversation_id = await ann.group(bob, cyd)
    posted = await ann.say(conversation_id)
    up_to = posted["sequence"]
    seen = []

    for person, watermarks in ((bob, {"read": up_to}), (cyd, {"delivered": up_to})):
        await person.acknowledge(conversation_id, **watermarks)
        seen.append((await ann.read(conversation_id))[-1]["status"])
    await cyd.acknowledge(conversation_id, read=up_to)
    seen.append((await ann.read(conversation_id))[-1]["status"])

    assert seen == ["sent", "delivered", "read"]
