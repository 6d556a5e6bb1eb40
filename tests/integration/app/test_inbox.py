"""The inbox: a user's conversations, newest activity first."""

import asyncio
import time
from functools import partial

import pytest

from tests.hub import Hub
from tests.integration.app.people import Json, Person, World

pytestmark = pytest.mark.stack

ALWAYS = 253_402_300_799_999  # the last millisecond of the year 9999


async def inbox(person: Person, query: str = "limit=100") -> list[Json]:
    items: list[Json] = (await person.good("GET", f"/conversations?{query}"))["items"]
    return items


async def item_of(person: Person, conversation_id: str) -> Json:
    return next(it for it in await inbox(person) if it["conversation"]["id"] == conversation_id)


async def test_someone_new_has_an_empty_inbox(world: World) -> None:
    ann = await world.person("ann")

    page = await ann.good("GET", "/conversations")

    assert page == {"items": [], "continuation": None}


async def test_the_newest_activity_stands_first(world: World) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    with_bob, with_cyd, group = await ann.direct(bob), await ann.direct(cyd), await ann.group(bob)
    orders = []

    for conversation_id in (with_bob, with_cyd, group, with_bob):
        await ann.say(conversation_id)
        orders.append([item["conversation"]["id"] for item in await inbox(ann)])

    assert [order[0] for order in orders] == [with_bob, with_cyd, group, with_bob]
    assert orders[-1] == [with_bob, group, with_cyd]


async def test_an_item_shows_last_message_unread_count_and_own_receipt(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    for _ in range(2):
        await bob.say(conversation_id)
    last = await bob.say(conversation_id, "the last word")
    await ann.acknowledge(conversation_id, read=1, delivered=2)

    mine, his = await item_of(ann, conversation_id), await item_of(bob, conversation_id)

    assert mine["lastMessage"] | {"status": ""} == last | {"status": ""}
    assert mine["unreadCount"] == 2
    assert (mine["receipt"]["delivered"], mine["receipt"]["read"]) == (2, 1)
    assert mine["receipt"]["userId"] == ann.user_id
    assert mine["muted"] is False
    assert mine["conversation"]["latestSequence"] == 3
    assert his["unreadCount"] == 0


async def test_reading_on_one_device_empties_the_count_for_the_other(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    await bob.say(conversation_id)
    phone, laptop = await ann.connect(), await ann.connect()
    await laptop.invoke("heartbeat", {})  # `connected` may be on its way still

    await phone.invoke("acknowledge", {"conversationId": conversation_id, "read": 1})

    heard = await laptop.wait_for("receiptAdvanced")
    assert heard["items"][0]["read"] == 1
    assert (await item_of(ann, conversation_id))["unreadCount"] == 0


async def test_a_newcomer_has_nothing_unread_of_what_was_before(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.group()
    for _ in range(4):
        await ann.say(conversation_id, "before")
    await ann.good("POST", f"/conversations/{conversation_id}/members", {"userIds": [bob.user_id]})

    mine = await item_of(bob, conversation_id)
    await ann.say(conversation_id, "after")
    later = await item_of(bob, conversation_id)

    assert mine["unreadCount"] == 1
    assert mine["lastMessage"]["kind"] == "system"
    assert later["unreadCount"] == 2
    assert later["lastMessage"]["body"] == "after"


def told_of(hub: Hub, until: int | None) -> list[Json]:
    return hub.heard("inboxChanged", lambda it: it["item"]["mutedUntil"] == until)


async def test_a_mute_reaches_the_users_own_connections_and_nobody_else(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    laptop, phone, of_bob = await ann.connect(), await ann.connect(), await bob.connect()
    before = await item_of(ann, conversation_id)

    for until in (ALWAYS, None):
        await ann.good("PUT", f"/conversations/{conversation_id}/mute", {"until": until})
        for hub in (laptop, phone):
            await hub.until(partial(told_of, hub, until), "no such inboxChanged")
            (heard,) = told_of(hub, until)
            assert heard["item"] == await item_of(ann, conversation_id)
            assert heard["item"]["conversation"] == before["conversation"]
    await ann.say(conversation_id)
    await of_bob.wait_for("messagePosted")

    assert of_bob.heard("inboxChanged") == []
    assert (await item_of(bob, conversation_id))["mutedUntil"] is None


async def test_muting_is_the_members_own_and_ends_by_itself(world: World) -> None:
    ann, bob = await world.people("ann", "bob")
    conversation_id = await ann.direct(bob)
    path = f"/conversations/{conversation_id}/mute"
    now_ms = time.time_ns() // 1_000_000
    seen = []

    for until in (now_ms + 3_600_000, now_ms - 1_000, now_ms + 3_600_000, None):
        await ann.good("PUT", path, {"until": until})
        seen.append((await item_of(ann, conversation_id))["muted"])
        assert (await item_of(bob, conversation_id))["muted"] is False

    assert seen == [True, False, True, False]


@pytest.mark.parametrize("asked", [{}, {"until": "tomorrow"}, {"until": -1}, {"until": 1e300}])
async def test_a_mute_needs_a_moment_or_null(world: World, asked: Json) -> None:
    ann = await world.person("ann")
    conversation_id = await ann.group()

    reply = await ann.call("PUT", f"/conversations/{conversation_id}/mute", asked)

    assert reply.status == 400
    assert "until" in reply.json["detail"]


async def test_pages_over_45_conversations_meet_each_once(world: World) -> None:
    ann, bob, cyd = await world.people("ann", "bob", "cyd")
    makers = [bob, cyd] * 22 + [bob]
    ids = await asyncio.gather(*(maker.group(ann) for maker in makers))
    await asyncio.gather(*(m.say(one) for m, one in zip(makers[::3], ids[::3], strict=True)))
    whole = [item["conversation"]["id"] for item in await inbox(ann)]
    met: list[str] = []
    sizes = []

    continuation = ""
    while continuation is not None:
        query = f"limit=20{f'&continuation={continuation}' if continuation else ''}"
        page = await ann.good("GET", f"/conversations?{query}")
        met += [item["conversation"]["id"] for item in page["items"]]
        sizes.append(len(page["items"]))
        continuation = page["continuation"]

    assert sizes == [20, 20, 5]
    assert met == whole
    assert sorted(met) == sorted(ids)


async def test_the_page_after_exactly_the_last_item_is_not_offered(world: World) -> None:
    ann = await world.person("ann")
    for _ in range(2):
        await ann.group()

    page = await ann.good("GET", "/conversations?limit=2")

    assert len(page["items"]) == 2
    assert page["continuation"] is None


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "continuation=x",
        "continuation=!!!!",
        "continuation=W10=",
        "continuation=bnVsbA==",
        "continuation=WzEsMl0=",
        "continuation=" + "W1tb" * 500,
        "continuation=%ED%A0%80",
    ],
)
async def test_a_wrong_query_is_refused(world: World, query: str) -> None:
    ann = await world.person("ann")

    reply = await ann.call("GET", f"/conversations?{query}")

    assert reply.status == 400
    assert reply.json["code"] == "invalid"
