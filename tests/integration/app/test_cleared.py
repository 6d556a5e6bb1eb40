"""Cleared when read elsewhere: the whole way from an acknowledgement to another device."""

import pytest

from tests.integration.app.people import Json, Person, World, eventually
from tests.integration.app.test_notifications import hears, notified, subscribe

pytestmark = pytest.mark.stack


async def cleared(person: Person) -> list[Json]:
    path = f"/dev/notifications?userId={person.user_id}&cleared=true"
    items: list[Json] = (await person.world.call("GET", path)).json["items"]
    return items


async def test_what_was_read_on_one_device_is_taken_back_on_the_other(tuned: World) -> None:
    ann, bob, cat = await tuned.people("ann", "bob", "cat")
    for person in (bob, cat):
        await subscribe(person)
    conversation_id = await ann.group(bob, cat)
    await ann.say(conversation_id)
    posted = await ann.say(conversation_id)
    for person in (bob, cat):
        await hears(person)

    await bob.acknowledge(conversation_id, read=posted["sequence"])

    (clear,) = await eventually(lambda: cleared(bob), bool)
    assert clear["clear"] is True
    assert clear["conversationId"] == conversation_id
    assert clear["upTo"] <= posted["sequence"]
    assert await cleared(cat) == []
    assert all(shown["title"] for shown in await notified(bob))
