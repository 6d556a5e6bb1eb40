"""Apps are notified through a notification hub where one is set up, and refused elsewhere."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.app.people import World, code_of, eventually, world_on
from tests.notification_hub import NAME, HubEndpoint, Sent, running_hub
from tests.stack import Stack
from tests.support.ports import free_block

pytestmark = pytest.mark.stack

HANDLE = "0f" * 32
PHONE = {"platform": "apns", "handle": HANDLE}


@dataclass(frozen=True)
class Apps:
    world: World
    hub: HubEndpoint

    async def sent(self, kind: str) -> list[Sent]:
        """Return what the hub was given of an APNs push type."""
        return [one for one in self.hub.sent if one.headers["apns-push-type"] == kind]


@pytest.fixture
async def apps(tmp_path: Path) -> AsyncIterator[Apps]:
    async with running_hub() as hub:
        settings = {
            "CHAT_NOTIFICATION_HUB": NAME,
            "NotificationHubConnection": hub.connection_string,
            "CHAT_RECEIPT_FLUSH_SECONDS": "1",
        }
        stack = Stack(tmp_path, free_block(), settings)
        await asyncio.to_thread(stack.start)
        try:
            async with world_on(stack) as world:
                yield Apps(world, hub)
        finally:
            await asyncio.to_thread(stack.stop)


async def test_an_app_is_notified_and_cleared_once_its_user_has_read(apps: Apps) -> None:
    ann, bob = await apps.world.people("ann", "bob")
    named = await bob.call("PUT", "/push-subscriptions/phone", PHONE)
    conversation_id = await ann.direct(bob)
    posted = await ann.say(conversation_id)

    (alert,) = await eventually(lambda: apps.sent("alert"), bool)
    await bob.acknowledge(conversation_id, read=posted["sequence"])
    (clear,) = await eventually(lambda: apps.sent("background"), bool)

    assert named.status == 204
    assert alert.headers["servicebusnotification-devicehandle"] == HANDLE
    assert alert.body["aps"]["alert"]["title"] == "Ann"
    assert (clear.body["clear"], clear.body["conversationId"]) == (True, conversation_id)
    assert clear.body["upTo"] == posted["sequence"]


async def test_an_app_is_refused_where_no_hub_is_set_up(world: World) -> None:
    ann = await world.person()

    reply = await ann.call("PUT", "/push-subscriptions/phone", PHONE)

    assert (reply.status, code_of(reply)) == (400, "invalid")
    assert "platform" in reply.json["detail"]
