"""Sync: what a client lacks, fully or said so."""

import asyncio
import uuid

import pytest

from tests.integration.app.people import Json, Person, World, code_of

pytestmark = pytest.mark.stack

ANSWERED = {"items", "more", "cursor"}


async def sync(person: Person, positions: dict[str, int], **more: object) -> Json:
    answer: Json = await person.good("POST", "/sync", {"positions": positions, **more})
    return answer


def sequences(item: Json) -> list[int]:
    return [message["sequence"] for message in item["messages"]]


async def three_talks(world: World) -> tuple[Person, list[str]]:
    """Return a person and three conversations of 2, 4 and 6 messages, the last the newest."""
    ann, bob = await world.people("ann", "bob")
    ids = [await ann.direct(bob), await ann.group(bob), await bob.group(ann)]
    for conversation_id, count in zip(ids, (2, 4, 6), strict=True):
        for _ in range(count):
            await bob.say(conversation_id)
    return ann, ids


async def test_without_positions_everything_comes_newest_activity_first(world: World) -> None:
    ann, ids = await three_talks(world)

    answer = await sync(ann, {})

    assert answer["more"] is False
    assert [item["conversationId"] for item in answer["items"]] == ids[::-1]
    assert [sequences(item) for item in answer["items"]] == [
        [1, 2, 3, 4, 5, 6],
        [1, 2, 3, 4],
        [1, 2],
    ]
    assert all(item["complete"] for item in answer["items"])
    assert [item["latestSequence"] for item in answer["items"]] == [6, 4, 2]
    assert {item["receipt"]["userId"] for item in answer["items"]} == {ann.user_id}


async def test_with_the_newest_positions_nothing_comes(world: World) -> None:
    ann, ids = await three_talks(world)

    answer = await sync(ann, dict(zip(ids, (2, 4, 6), strict=True)))

    assert (answer["items"], answer["more"], set(answer)) == ([], False, ANSWERED)


async def test_some_positions_bring_just_what_lies_after_them(world: World) -> None:
    ann, ids = await three_talks(world)

    answer = await sync(ann, {ids[0]: 2, ids[1]: 1})

    assert {item["conversationId"]: sequences(item) for item in answer["items"]} == {
        ids[1]: [2, 3, 4],
        ids[2]: [1, 2, 3, 4, 5, 6],
    }


async def test_positions_of_conversations_that_are_not_ones_own_tell_nothing(
    world: World,
) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    theirs = await bob.direct(cyd)
    await bob.say(theirs)

    answer = await sync(ann, {theirs: 0, f"g-{uuid.uuid4().hex}": 3, "what is this": 1, "": 0})

    assert (answer["items"], answer["more"], set(answer)) == ([], False, ANSWERED)


async def test_a_position_ahead_of_the_newest_message_brings_nothing(world: World) -> None:
    ann, ids = await three_talks(world)

    answer = await sync(ann, {ids[0]: 99, ids[1]: 4, ids[2]: 6})

    assert answer["items"] == []


async def test_a_gap_above_the_limit_says_so_and_the_rest_is_paged_from_history(
    world: World,
) -> None:
    ann, ids = await three_talks(world)

    answer = await sync(ann, {ids[0]: 2, ids[1]: 2, ids[2]: 1}, limit=2)

    newest, whole = answer["items"]
    assert (newest["conversationId"], sequences(newest), newest["complete"]) == (
        ids[2],
        [5, 6],
        False,
    )
    assert (whole["conversationId"], sequences(whole), whole["complete"]) == (ids[1], [3, 4], True)
    rest = await ann.read(ids[2], f"after=1&before={sequences(newest)[0]}")
    assert [message["sequence"] for message in rest] == [2, 3, 4]


async def test_a_newcomers_gap_begins_where_their_history_does(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.group()
    for _ in range(5):
        await ann.say(conversation_id, "before")
    await ann.good("POST", f"/conversations/{conversation_id}/members", {"userIds": [bob.user_id]})
    await ann.say(conversation_id, "after")

    (item,) = (await sync(bob, {}))["items"]

    assert sequences(item) == [6, 7]
    assert item["complete"] is True


async def test_more_than_fifty_conversations_come_in_turns_until_none_is_left(
    world: World,
) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    makers = [bob, cyd] * 28
    ids = await asyncio.gather(*(maker.group(ann) for maker in makers))
    await asyncio.gather(*(m.say(one) for m, one in zip(makers[:20], ids[:20], strict=True)))
    positions: dict[str, int] = {}
    turns = 0

    more = True
    while more:
        answer = await sync(ann, positions)
        positions |= {item["conversationId"]: item["latestSequence"] for item in answer["items"]}
        more, turns = answer["more"], turns + 1
        assert turns < 5

    assert turns == 2
    assert set(positions) == set(ids)
    assert sum(positions.values()) == 20


async def test_a_message_sent_between_two_syncs_is_in_the_second(world: World) -> None:
    ann, ids = await three_talks(world)
    first = await sync(ann, {})
    positions = {item["conversationId"]: item["latestSequence"] for item in first["items"]}

    await ann.say(ids[1], "meanwhile")
    second = await sync(ann, positions)

    (item,) = second["items"]
    assert (item["conversationId"], sequences(item)) == (ids[1], [5])


async def test_with_a_cursor_only_what_changed_comes(world: World) -> None:
    ann, ids = await three_talks(world)
    begun = await sync(ann, {}, since="now")
    await ann.say(ids[1], "meanwhile")

    changed = await sync(ann, {ids[0]: 2}, since=begun["cursor"])
    nothing = await sync(ann, {}, since=changed["cursor"])
    await ann.acknowledge(ids[0], read=2)
    receipt = await sync(ann, {ids[0]: 2}, since=nothing["cursor"])

    assert (begun["items"], nothing["items"]) == ([], [])
    (item,) = changed["items"]
    assert (item["conversationId"], item["latestSequence"]) == (ids[1], 5)
    assert (item["messages"], item["complete"]) == ([], False)
    assert item["inboxItem"]["lastMessage"]["body"] == "meanwhile"
    (item,) = receipt["items"]
    assert (item["messages"], item["complete"], item["receipt"]["read"]) == ([], True, 2)
    assert item["inboxItem"]["unreadCount"] == 0
    assert all(set(answer) == ANSWERED for answer in (begun, changed, nothing, receipt))


async def test_a_cursor_tells_what_was_left(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    group = await ann.group(bob)
    cursor = (await sync(bob, {}, since="now"))["cursor"]
    await ann.good("DELETE", f"/conversations/{group}/members/{bob.user_id}")

    answer = await sync(bob, {}, since=cursor)

    assert (answer["items"], answer["removed"]) == ([], [group])


@pytest.mark.parametrize("since", ["", "x", "WzEsMiwzXQ==", "another's"])
async def test_a_cursor_that_is_none_counts_as_none_and_is_said(world: World, since: str) -> None:
    ann, ids = await three_talks(world)
    if since == "another's":
        since = (await sync(await world.person("bob"), {}))["cursor"]

    answer = await sync(ann, dict(zip(ids, (2, 4, 5), strict=True)), since=since)

    assert answer["reset"] is True
    assert [sequences(item) for item in answer["items"]] == [[6]]
    assert set(await sync(ann, {}, since=answer["cursor"])) == ANSWERED


@pytest.mark.parametrize(
    "asked",
    [
        {"since": 7},
        {"since": "x" * 201},
        {"positions": []},
        {"positions": None},
        {"positions": {"g-" + "0" * 32: "1"}},
        {"positions": {"g-" + "0" * 32: -1}},
        {"positions": {"g-" + "0" * 32: None}},
        {"positions": {"g-" + "0" * 32: 1.5}},
        {"positions": {}, "limit": 0},
        {"positions": {}, "limit": 101},
        {"positions": {}, "limit": "5"},
    ],
)
async def test_wrong_positions_are_refused(world: World, asked: Json) -> None:
    ann = await world.person("ann")

    reply = await ann.call("POST", "/sync", asked)

    assert (reply.status, code_of(reply)) == (400, "invalid")
