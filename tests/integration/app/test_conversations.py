"""Conversations: starting them, and who may change what in them."""

import asyncio
from typing import Any

import pytest

from tests.hub import Hub
from tests.integration.app.people import Person, World, code_of, message

pytestmark = pytest.mark.stack


def roles(conversation: dict[str, Any]) -> dict[str, str]:
    return {member["userId"]: member["role"] for member in conversation["members"]}


async def add(person: Person, conversation_id: str, *others: "Person | str") -> Any:
    ids = [other if isinstance(other, str) else other.user_id for other in others]
    return await person.call("POST", f"/conversations/{conversation_id}/members", {"userIds": ids})


async def remove(person: Person, conversation_id: str, whom: Person) -> Any:
    path = f"/conversations/{conversation_id}/members/{whom.user_id}"
    return await person.call("DELETE", path)


async def test_both_sides_starting_at_once_meet_in_one_direct_conversation(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    asked = [(ann, bob), (bob, ann)] * 5

    replies = await asyncio.gather(
        *(
            one.call("POST", "/conversations", {"kind": "direct", "memberIds": [other.user_id]})
            for one, other in asked
        )
    )

    assert len({reply.json["id"] for reply in replies}) == 1
    assert sorted(reply.status for reply in replies) == [200] * 9 + [201]


async def test_a_new_direct_conversation_has_two_members_and_is_announced_to_both(
    world: World,
) -> None:
    ann, bob = await world.people("ann", "bob")
    hubs = [await ann.connect(), await bob.connect()]

    conversation_id = await ann.direct(bob)

    for hub in hubs:
        heard = await hub.wait_for("conversationChanged")
        assert heard["conversation"]["id"] == conversation_id
        assert set(roles(heard["conversation"])) == {ann.user_id, bob.user_id}
    opened = await bob.good("GET", f"/conversations/{conversation_id}")
    assert opened["kind"] == "direct"
    assert opened["latestSequence"] == 0
    assert [each["delivered"] for each in opened["receipts"]] == [0, 0]


async def test_a_new_group_has_its_maker_as_owner_and_a_title(world: World) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    asked = {
        "kind": "group",
        "memberIds": [bob.user_id, cyd.user_id, bob.user_id, ann.user_id],
        "title": "  Weekend  ",
    }

    reply = await ann.call("POST", "/conversations", asked)

    assert reply.status == 201
    assert reply.json["title"] == "Weekend"
    assert roles(reply.json) == {
        ann.user_id: "owner",
        bob.user_id: "member",
        cyd.user_id: "member",
    }
    assert {member["historyFrom"] for member in reply.json["members"]} == {1}


async def test_two_groups_of_the_same_people_are_two(world: World) -> None:
    ann, bob = await world.people("ann", "bob")

    ids = {await ann.group(bob), await ann.group(bob)}

    assert len(ids) == 2


@pytest.mark.parametrize("kind", ["direct", "group"])
async def test_a_member_whom_the_website_does_not_know_is_not_found(
    world: World, kind: str
) -> None:
    ann = await world.person("ann")

    reply = await ann.call(
        "POST", "/conversations", {"kind": kind, "memberIds": [f"nobody-{world.mark}"]}
    )

    assert (reply.status, code_of(reply)) == (404, "user_not_found")


@pytest.mark.parametrize("members", [[], ["ann"], ["bob", "cyd"]])
async def test_a_direct_conversation_has_exactly_one_other_member(
    world: World, members: list[str]
) -> None:
    known = {name: await world.person(name) for name in ("ann", "bob", "cyd")}
    ids = [known[name].user_id for name in members]

    reply = await known["ann"].call("POST", "/conversations", {"kind": "direct", "memberIds": ids})

    assert (reply.status, code_of(reply)) == (400, "invalid")


async def test_100_members_are_let_in_and_the_101st_is_refused(world: World) -> None:
    ann = await world.person("ann")
    crowd = await world.crowd(100)
    conversation_id = await ann.group(*crowd[:98])

    hundredth = await add(ann, conversation_id, crowd[98])
    refused = await add(ann, conversation_id, crowd[99])
    both = await ann.call("POST", "/conversations", {"kind": "group", "memberIds": crowd})

    assert hundredth.status == 200
    assert len(hundredth.json["members"]) == 100
    assert (refused.status, code_of(refused)) == (409, "conversation_full")
    assert (both.status, code_of(both)) == (409, "conversation_full")
    opened = await ann.good("GET", f"/conversations/{conversation_id}")
    assert len(opened["members"]) == 100


async def test_a_newcomer_reads_from_their_joining_on_and_nothing_before(world: World) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    conversation_id = await ann.group(bob)
    for number in range(3):
        await ann.say(conversation_id, f"before {number}")

    added = await add(ann, conversation_id, cyd)
    await bob.say(conversation_id, "after")

    joined = next(m for m in added.json["members"] if m["userId"] == cyd.user_id)
    seen = await cyd.read(conversation_id)
    assert joined["historyFrom"] == 4
    assert [item["sequence"] for item in seen] == list(range(4, 4 + len(seen)))
    assert seen[-1]["body"] == "after"
    assert await cyd.read(conversation_id, "before=4") == []
    assert [m["sequence"] for m in await cyd.read(conversation_id, "after=0&limit=2")] == [4, 5]
    assert [item["body"] for item in await bob.read(conversation_id, "after=0&limit=3")] == [
        "before 0",
        "before 1",
        "before 2",
    ]


async def test_a_reply_may_not_refer_to_what_a_newcomer_cannot_see(world: World) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    conversation_id = await ann.group(bob)
    await ann.say(conversation_id, "a secret")
    await add(ann, conversation_id, cyd)

    reply = await cyd.post(conversation_id, "what was that?", replyTo=1)

    assert (reply.status, code_of(reply)) == (400, "invalid")


async def test_changes_are_told_as_system_messages_and_events(world: World) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    conversation_id = await ann.group(bob, title="Old")
    hub = await bob.connect()

    renamed = await ann.good("PATCH", f"/conversations/{conversation_id}", {"title": "New"})
    await add(ann, conversation_id, cyd)

    await hub.wait_for("conversationChanged", lambda it: it["conversation"]["title"] == "New")
    await hub.wait_for("conversationChanged", lambda it: cyd.user_id in roles(it["conversation"]))
    history = await ann.read(conversation_id)
    assert renamed["title"] == "New"
    assert {item["kind"] for item in history} == {"system"}
    assert "New" in history[0]["body"]
    assert "Cyd" in history[1]["body"]


async def test_renaming_to_the_same_title_changes_nothing(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.group(bob, title="Same")
    before = await ann.good("GET", f"/conversations/{conversation_id}")

    await ann.good("PATCH", f"/conversations/{conversation_id}", {"title": "Same"})

    assert await ann.good("GET", f"/conversations/{conversation_id}") == before


async def test_a_mere_member_renames_adds_and_removes_nobody_but_may_leave(world: World) -> None:
    ann, bob, cyd, dan = await world.people("ann", "bob", "cyd", "dan")
    conversation_id = await ann.group(bob, cyd)

    refused = [
        await bob.call("PATCH", f"/conversations/{conversation_id}", {"title": "Mine"}),
        await add(bob, conversation_id, dan),
        await remove(bob, conversation_id, cyd),
        await remove(bob, conversation_id, ann),
    ]
    left = await remove(bob, conversation_id, bob)

    assert [(reply.status, code_of(reply)) for reply in refused] == [(403, "forbidden")] * 4
    assert left.status == 204
    opened = await ann.good("GET", f"/conversations/{conversation_id}")
    assert set(roles(opened)) == {ann.user_id, cyd.user_id}


async def test_when_the_owner_leaves_the_longest_standing_member_becomes_owner(
    world: World,
) -> None:
    ann, bob, cyd, dan = await world.people("ann", "bob", "cyd", "dan")
    conversation_id = await ann.group(bob, cyd)

    await remove(ann, conversation_id, ann)
    added = await add(bob, conversation_id, dan)

    assert roles(added.json) == {
        bob.user_id: "owner",
        cyd.user_id: "member",
        dan.user_id: "member",
    }


async def test_the_last_one_to_leave_leaves_nothing_behind(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.group(bob)
    await remove(bob, conversation_id, bob)

    left = await remove(ann, conversation_id, ann)

    assert left.status == 204
    assert (await ann.call("GET", f"/conversations/{conversation_id}")).status == 404
    assert (await ann.good("GET", "/conversations"))["items"] == []


async def test_a_direct_conversation_keeps_its_two_members_and_has_no_title(
    world: World,
) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    conversation_id = await ann.direct(bob)

    replies = [
        await ann.call("PATCH", f"/conversations/{conversation_id}", {"title": "Us"}),
        await add(ann, conversation_id, cyd),
        await remove(ann, conversation_id, bob),
        await remove(ann, conversation_id, ann),
    ]

    assert [(reply.status, code_of(reply)) for reply in replies] == [(403, "forbidden")] * 4


async def test_adding_at_once_from_many_calls_loses_nobody(world: World) -> None:
    ann = await world.person("ann")
    crowd = await world.crowd(8)
    conversation_id = await ann.group(crowd[0])

    replies = await asyncio.gather(*(add(ann, conversation_id, one) for one in crowd[1:6]))

    opened = await ann.good("GET", f"/conversations/{conversation_id}")
    added = [one for one, reply in zip(crowd[1:6], replies, strict=True) if reply.status == 200]
    assert added
    assert set(roles(opened)) == {ann.user_id, crowd[0], *added}
    history = await ann.read(conversation_id)
    assert [item["sequence"] for item in history] == list(range(1, len(added) + 1))


async def still_hears(hub: Hub, conversation_id: str, sequence: int) -> None:
    await hub.wait_for(
        "messagePosted",
        lambda it: (
            it["message"]["conversationId"] == conversation_id
            and it["message"]["sequence"] >= sequence
        ),
    )


async def test_a_removed_member_gets_nothing_more_over_any_path_at_once(world: World) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    conversation_id = await ann.group(bob, cyd)
    await ann.say(conversation_id, "all of us")
    out, still_in = await bob.connect(), await cyd.connect()

    assert (await remove(ann, conversation_id, bob)).status == 204
    secret = await ann.say(conversation_id, "without Bob")

    await still_hears(still_in, conversation_id, secret["sequence"])
    assert await out.wait_for("conversationRemoved") == {"conversationId": conversation_id}
    again = await bob.connect()
    another = await ann.say(conversation_id, "still without Bob")
    await still_hears(still_in, conversation_id, another["sequence"])
    for hub in (out, again):
        assert not hub.heard(
            "messagePosted", lambda it: it["message"]["sequence"] >= secret["sequence"]
        )
    path = f"/conversations/{conversation_id}"
    receipt = {"conversationId": conversation_id, "read": 1}
    by_hub = [
        await out.invoke("sendMessage", {"conversationId": conversation_id, **message()}),
        await out.invoke("acknowledge", receipt),
        await out.invoke("setTyping", {"conversationId": conversation_id, "typing": True}),
    ]
    by_http = [
        await bob.call("GET", path),
        await bob.call("GET", f"{path}/messages"),
        await bob.post(conversation_id),
        await bob.call("PUT", f"{path}/receipt", {"read": 1}),
        await bob.call("PUT", f"{path}/mute", {"until": None}),
    ]
    assert [code_of(answer) for answer in by_hub] == ["not_found"] * 3
    assert [(reply.status, code_of(reply)) for reply in by_http] == [(404, "not_found")] * 5
    assert (await bob.good("GET", "/conversations"))["items"] == []
    assert (await bob.good("POST", "/sync", {"positions": {conversation_id: 0}}))["items"] == []


async def test_one_who_comes_back_sees_only_what_is_said_from_then_on(world: World) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    conversation_id = await ann.group(bob, cyd)
    await remove(ann, conversation_id, bob)
    missed = await ann.say(conversation_id, "missed")

    await add(ann, conversation_id, bob)
    hub = await bob.connect()
    heard = await ann.say(conversation_id, "welcome back")

    await still_hears(hub, conversation_id, heard["sequence"])
    seen = [item["sequence"] for item in await bob.read(conversation_id)]
    assert min(seen) == missed["sequence"] + 1
    assert max(seen) == heard["sequence"]
