"""Blocks: both ways, at once, and on connections that are open."""

import asyncio

import pytest

from tests.integration.app.people import Person, World, code_of, message

pytestmark = pytest.mark.stack


async def block(person: Person, other: Person, *, lift: bool = False) -> None:
    reply = await person.call("DELETE" if lift else "PUT", f"/blocks/{other.user_id}")
    assert reply.status == 204, reply.body


async def test_neither_side_sends_or_types_on_open_connections_any_more(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    await ann.say(conversation_id, "before")
    of_ann, of_bob = await ann.connect(), await bob.connect()

    await block(bob, ann)

    for person, hub in ((ann, of_ann), (bob, of_bob)):
        asked = {"conversationId": conversation_id, **message()}
        typing = {"conversationId": conversation_id, "typing": True}
        reply = await person.post(conversation_id)
        assert (reply.status, code_of(reply)) == (403, "blocked")
        assert code_of(await hub.invoke("sendMessage", asked)) == "blocked"
        assert code_of(await hub.invoke("setTyping", typing)) == "blocked"
        assert [item["body"] for item in await person.read(conversation_id)] == ["before"]


async def test_lifting_a_block_lets_both_talk_again(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    await block(bob, ann)

    await block(bob, ann, lift=True)

    await ann.say(conversation_id)
    await bob.say(conversation_id)
    assert (await bob.good("GET", "/me"))["settings"]["blocked"] == []


async def test_of_two_blocks_each_is_lifted_by_its_own_side(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    await asyncio.gather(block(ann, bob), block(bob, ann))

    await block(ann, bob, lift=True)
    still = await ann.post(conversation_id)
    await block(bob, ann, lift=True)
    lifted = await ann.post(conversation_id)

    assert (still.status, lifted.status) == (403, 201)


async def test_nothing_new_is_started_across_a_block_by_either_side(world: World) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    await block(bob, ann)
    replies = []

    for one, other in ((ann, bob), (bob, ann)):
        for kind, members in (("direct", [other]), ("group", [cyd, other])):
            ids = [member.user_id for member in members]
            asked = {"kind": kind, "memberIds": ids}
            replies.append(await one.call("POST", "/conversations", asked))
        group = await one.group(cyd)
        asked = {"userIds": [other.user_id]}
        replies.append(await one.call("POST", f"/conversations/{group}/members", asked))

    assert [(reply.status, code_of(reply)) for reply in replies] == [(403, "blocked")] * 6


async def test_a_group_that_both_are_in_goes_on(world: World) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    conversation_id = await cyd.group(ann, bob)

    await block(bob, ann)

    await ann.say(conversation_id)
    assert len(await bob.read(conversation_id)) == 1


async def test_presence_is_hidden_both_ways_and_no_longer_pushed(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    watcher, of_bob = await ann.connect(), await bob.connect()
    await watcher.invoke("watchPresence", {"userIds": [bob.user_id]})
    await of_bob.invoke("watchPresence", {"userIds": [ann.user_id]})

    await block(bob, ann)
    await of_bob.close()
    again = await bob.connect()
    await again.invoke("heartbeat", {})

    hidden = {"status": "offline", "lastSeenAt": None}
    for one, other in ((ann, bob), (bob, ann)):
        (shown,) = (await one.good("GET", f"/presence?userIds={other.user_id}"))["items"]
        assert shown == {"userId": other.user_id, **hidden}
    result = await watcher.invoke("watchPresence", {"userIds": [bob.user_id]})
    assert result["items"] == [{"userId": bob.user_id, **hidden}]
    seen = [it for event in watcher.heard("presenceChanged") for it in event["items"]]
    assert [it for it in seen if it["userId"] == bob.user_id and it["status"] == "offline"] == []


async def test_blocking_twice_is_one_block_and_me_shows_it(world: World) -> None:
    ann, bob = await world.people("ann", "bob")

    await block(ann, bob)
    await block(ann, bob)

    assert (await ann.good("GET", "/me"))["settings"]["blocked"] == [bob.user_id]
    assert (await bob.good("GET", "/me"))["settings"]["blocked"] == []


async def test_only_others_whom_the_website_knows_are_blocked(world: World) -> None:
    ann = await world.person("ann")

    unknown = await ann.call("PUT", f"/blocks/nobody-{world.mark}")
    oneself = await ann.call("PUT", f"/blocks/{ann.user_id}")
    garbage = await ann.call("PUT", "/blocks/no%20such%2Fid")

    assert (unknown.status, code_of(unknown)) == (404, "user_not_found")
    assert (oneself.status, code_of(oneself)) == (400, "invalid")
    assert (garbage.status, code_of(garbage)) == (400, "invalid")
