"""Receipts: watermarks that only rise, and who hears of them."""

import asyncio

import pytest

from tests.integration.app.people import Person, World, code_of

pytestmark = pytest.mark.stack


async def talk(world: World, count: int = 5) -> tuple[Person, Person, str]:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    for _ in range(count):
        await ann.say(conversation_id)
    return ann, bob, conversation_id


async def test_reading_implies_delivery(world: World) -> None:
    _, bob, conversation_id = await talk(world)

    receipt = await bob.acknowledge(conversation_id, read=3)

    assert (receipt["delivered"], receipt["read"]) == (3, 3)
    assert receipt["conversationId"] == conversation_id
    assert receipt["userId"] == bob.user_id
    assert isinstance(receipt["updatedAt"], int)


async def test_watermarks_never_go_back_by_hub_or_http(world: World) -> None:
    _, bob, conversation_id = await talk(world)
    hub = await bob.connect()
    highest = await bob.acknowledge(conversation_id, delivered=5, read=4)

    late = await bob.acknowledge(conversation_id, read=2)
    later = await hub.invoke("acknowledge", {"conversationId": conversation_id, "delivered": 1})

    assert late == highest
    assert later == {"ok": True, "receipt": highest}


async def test_watermarks_move_apart_and_merge_by_maximum(world: World) -> None:
    _, bob, conversation_id = await talk(world)

    await asyncio.gather(
        *(bob.acknowledge(conversation_id, delivered=number) for number in (5, 1, 3)),
        *(bob.acknowledge(conversation_id, read=number) for number in (2, 4, 1)),
    )

    opened = await bob.good("GET", f"/conversations/{conversation_id}")
    own = next(each for each in opened["receipts"] if each["userId"] == bob.user_id)
    assert (own["delivered"], own["read"]) == (5, 4)


@pytest.mark.parametrize("watermarks", [{"read": 6}, {"delivered": 6}, {"delivered": 6, "read": 1}])
async def test_what_lies_past_the_newest_message_is_out_of_range(
    world: World, watermarks: dict[str, int]
) -> None:
    _, bob, conversation_id = await talk(world)
    hub = await bob.connect()

    reply = await bob.call("PUT", f"/conversations/{conversation_id}/receipt", watermarks)
    result = await hub.invoke("acknowledge", {"conversationId": conversation_id, **watermarks})

    assert (reply.status, code_of(reply)) == (400, "sequence_out_of_range")
    assert code_of(result) == "sequence_out_of_range"


@pytest.mark.parametrize(
    "watermarks",
    [{}, {"delivered": None}, {"read": "1"}, {"read": -1}, {"read": 1.5}, {"read": True}],
)
async def test_a_receipt_without_a_sequence_is_invalid(
    world: World, watermarks: dict[str, object]
) -> None:
    _, bob, conversation_id = await talk(world, count=1)

    reply = await bob.call("PUT", f"/conversations/{conversation_id}/receipt", watermarks)

    assert (reply.status, code_of(reply)) == (400, "invalid")


async def test_sender_and_readers_other_device_hear_of_a_receipt(world: World) -> None:
    ann, bob, conversation_id = await talk(world)
    sender, phone, laptop = await ann.connect(), await bob.connect(), await bob.connect()
    await laptop.invoke("heartbeat", {})  # `connected` may be on its way still

    result = await phone.invoke("acknowledge", {"conversationId": conversation_id, "read": 5})

    for device in (sender, laptop):
        heard = await device.wait_for("receiptAdvanced")
        assert heard == {"items": [result["receipt"]]}


async def test_an_acknowledgement_that_changes_nothing_is_told_to_nobody(world: World) -> None:
    ann, bob, conversation_id = await talk(world)
    await bob.acknowledge(conversation_id, read=3)
    sender = await ann.connect()

    await bob.acknowledge(conversation_id, read=3)
    await bob.acknowledge(conversation_id, read=4)

    await sender.wait_for("receiptAdvanced")
    assert [each["items"][0]["read"] for each in sender.heard("receiptAdvanced")] == [4]


async def test_sending_acknowledges_all_that_came_before_for_the_sender(world: World) -> None:
    ann, _, conversation_id = await talk(world, count=2)

    opened = await ann.good("GET", f"/conversations/{conversation_id}")

    own = next(each for each in opened["receipts"] if each["userId"] == ann.user_id)
    assert (own["delivered"], own["read"]) == (2, 2)


async def test_a_group_hears_many_receipts_in_few_events(tuned: World) -> None:
    ann, *others = await tuned.people("ann", "bob", "cyd", "dan", "eve")
    conversation_id = await ann.group(*others)
    up_to = (await ann.say(conversation_id))["sequence"]
    sender = await ann.connect()

    await asyncio.gather(*(other.acknowledge(conversation_id, read=up_to) for other in others))

    def acknowledged() -> set[str]:
        events = sender.heard("receiptAdvanced")
        return {each["userId"] for event in events for each in event["items"]}

    await sender.until(lambda: acknowledged() >= {one.user_id for one in others}, "not all heard")
    assert len(sender.heard("receiptAdvanced")) <= 3
