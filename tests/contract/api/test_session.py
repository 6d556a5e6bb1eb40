"""A session of two people on the stack: all that is answered and pushed is as the documents say."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import override

import aiohttp
import pytest

from local.site.issuer import SUBJECT, Issuer
from tests.contract.api import documents as docs
from tests.hub import Hub
from tests.integration.app.people import Person, World, message
from tests.stack import Reply, Stack

pytestmark = pytest.mark.stack

PIXELS = b"\x89PNG\r\n\x1a\n" + b"\x00" * 56
DEADLINE_S = 20.0


@dataclass
class Witness(World):
    """A world that holds every answer below `/api` to the document."""

    answered: set[tuple[str, int]] = field(default_factory=set)

    @override
    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        reply = await super().call(method, path, body, headers)
        if path.startswith("/api/"):
            self._judge(method, path.removeprefix("/api"), reply)
        return reply

    def _judge(self, method: str, path: str, reply: Reply) -> None:
        _, operation = docs.find_operation(method, path)
        self.answered.add((operation["operationId"], reply.status))
        said = docs.find_response(operation, reply.status)
        for name, header in said.get("headers", {}).items():
            assert name.lower() in reply.headers or not docs.resolve(header)["required"], name
        if "content" not in said:
            assert not reply.body, (method, path, reply)
            return
        media = said["content"][reply.headers["content-type"].partition(";")[0]]
        asked = docs.inlined(media["schema"], "openapi.yaml")
        docs.check(reply.json, asked, what=f"{method} {path}: {reply.status}")


@pytest.fixture
async def world(stack: Stack) -> AsyncIterator[Witness]:
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        witness = Witness(stack, session)
        yield witness
        await witness.close()


async def invoke(hub: Hub, method: str, argument: object) -> docs.Json:
    """Call a method, and hold its result to the document."""
    result: docs.Json = await hub.invoke(method, argument)
    (reply,) = docs.methods()[method]["reply"]["messages"]
    docs.check(result, docs.payload(reply), what=f"{method}: {argument}")
    return result


def check_events(*hubs: Hub) -> set[str]:
    """Hold every event heard to the document; return their names."""
    for event in (event for hub in hubs for event in hub.events):
        (said,) = docs.events()[event.name]["messages"]
        docs.check(event.argument, docs.payload(said), what=event.name)
    return {event.name for hub in hubs for event in hub.events}


async def send_file(person: Person, conversation_id: str) -> docs.Json:
    """Upload a picture and post it; return the message."""
    asked = {"fileName": "cat.png", "contentType": "image/png", "sizeBytes": len(PIXELS)}
    path = f"/conversations/{conversation_id}/attachments"
    grant = await person.good("POST", path, asked)
    put = await person.world.call("PUT", grant["uploadUrl"], PIXELS, grant["headers"])
    assert put.status == 201, put
    return await person.say(conversation_id, "", attachments=[grant["attachmentId"]])


async def reject(world: World, posted: docs.Json, hub: Hub) -> None:
    """Be the scanner that rejects a posted file, once the app knows what refers to it."""
    (file,) = posted["attachments"]
    verdict = {
        "id": "1",
        "topic": "/",
        "subject": "/",
        "eventType": "Microsoft.Security.MalwareScanningResult",
        "dataVersion": "1.0",
        "eventTime": "2026-01-01T12:00:00Z",
        "data": {
            "scanResultType": "Malicious",
            "blobUri": f"https://b/files/{posted['conversationId']}/{file['attachmentId']}",
        },
    }
    async with asyncio.timeout(DEADLINE_S):
        while not hub.heard("attachmentChanged"):
            ran = await world.run("attachment_scanned", json.dumps(verdict))
            assert ran.status < 300, ran
            await asyncio.sleep(0.2)


async def test_every_call_of_the_callers_own_is_answered_as_described(world: Witness) -> None:
    ann, bob = await world.people("ann", "bob")
    named = {"x-ms-signalr-userid": ann.user_id}
    device = (await world.call("POST", "/dev/push-subscription", {"userId": ann.user_id})).json

    await ann.call("POST", "/negotiate", headers=named)
    await ann.call("POST", "/negotiate", headers={"x-ms-signalr-userid": bob.user_id})
    await ann.good("GET", "/me")
    await ann.good("PATCH", "/me/settings", {"preview": "text"})
    await ann.call("PATCH", "/me/settings", {"preview": "all"})
    await ann.good("GET", "/contacts")
    await ann.good("GET", f"/presence?userIds={bob.user_id},nobody")
    await ann.call("GET", "/presence")
    await ann.good("PUT", f"/blocks/{bob.user_id}")
    await ann.call("PUT", "/blocks/nobody-at-all")
    await ann.good("GET", "/me")
    await ann.good("DELETE", f"/blocks/{bob.user_id}")
    await ann.good("PUT", "/push-subscriptions/laptop", device)
    await ann.call("PUT", "/push-subscriptions/laptop", {})
    await ann.good("DELETE", "/push-subscriptions/laptop")
    await world.call("GET", "/api/health")
    await world.call("GET", "/api/me")

    assert {
        ("negotiate", 200),
        ("negotiate", 403),
        ("me", 200),
        ("me", 401),
        ("update_settings", 200),
        ("update_settings", 400),
        ("list_contacts", 200),
        ("get_presence", 200),
        ("get_presence", 400),
        ("block_user", 204),
        ("block_user", 404),
        ("unblock_user", 204),
        ("put_push_subscription", 204),
        ("put_push_subscription", 400),
        ("delete_push_subscription", 204),
        ("health", 200),
    } <= world.answered


async def test_every_call_about_conversations_is_answered_as_described(world: Witness) -> None:
    ann, bob, cat = await world.people("ann", "bob", "cat")
    group = await ann.group(bob, title="Trip")
    pair = await ann.direct(bob)

    await ann.direct(bob)
    await ann.call("POST", "/conversations", {"kind": "direct", "memberIds": ["nobody-at-all"]})
    await ann.good("PATCH", f"/conversations/{group}", {"title": "Porto"})
    await bob.call("PATCH", f"/conversations/{group}", {"title": "Lisbon"})
    await ann.good("POST", f"/conversations/{group}/members", {"userIds": [cat.user_id]})
    crowd = await world.crowd(98)
    await ann.call("POST", f"/conversations/{group}/members", {"userIds": crowd})
    await ann.good("DELETE", f"/conversations/{group}/members/{cat.user_id}")
    await cat.call("GET", f"/conversations/{group}")
    await ann.good("PUT", f"/conversations/{group}/mute", {"until": 1_900_000_000_000})
    await ann.good("PUT", f"/conversations/{group}/mute", {"until": None})
    posted = await ann.say(pair)
    await ann.post(pair, clientMessageId=posted["clientMessageId"])
    await ann.post(pair, "")
    await ann.post(pair, "x" * 8_001)
    await ann.good("GET", f"/conversations/{pair}/messages")
    await bob.acknowledge(pair, read=1)
    await bob.call("PUT", f"/conversations/{pair}/receipt", {"read": 2})
    await ann.good("GET", f"/conversations/{pair}")
    await ann.good("GET", "/conversations?limit=1")
    synced = await ann.good("POST", "/sync", {"positions": {}})
    await bob.good("POST", "/sync", {"since": "now"})
    await ann.good("POST", "/sync", {"since": synced["cursor"]})
    await bob.good("POST", "/sync", {"since": "none of ours"})
    await ann.good("PUT", f"/blocks/{bob.user_id}")
    await bob.post(pair)

    assert {
        ("create_conversation", 200),
        ("create_conversation", 201),
        ("create_conversation", 404),
        ("rename_conversation", 200),
        ("rename_conversation", 403),
        ("add_members", 200),
        ("add_members", 409),
        ("remove_member", 204),
        ("get_conversation", 200),
        ("get_conversation", 404),
        ("mute_conversation", 200),
        ("post_message", 200),
        ("post_message", 201),
        ("post_message", 400),
        ("post_message", 403),
        ("post_message", 413),
        ("list_messages", 200),
        ("put_receipt", 200),
        ("put_receipt", 400),
        ("list_conversations", 200),
        ("sync", 200),
    } <= world.answered


async def test_every_call_about_files_is_answered_as_described(world: Witness) -> None:
    ann, bob = await world.people("ann", "bob")
    pair = await ann.direct(bob)
    receiver = await bob.connect()

    posted = await send_file(ann, pair)
    path = f"/conversations/{pair}/attachments/{posted['attachments'][0]['attachmentId']}"
    await bob.call("GET", f"{path}?size=thumbnail")
    await bob.call("GET", f"/conversations/{pair}/attachments/a-{uuid.uuid4().hex}")
    page = {"fileName": "page.html", "contentType": "text/html", "sizeBytes": 10}
    await ann.call("POST", f"/conversations/{pair}/attachments", page)
    await reject(world, posted, receiver)
    await bob.call("GET", path)

    assert {
        ("grant_attachment", 201),
        ("grant_attachment", 415),
        ("get_attachment", 302),
        ("get_attachment", 404),
        ("get_attachment", 410),
    } <= world.answered
    assert "attachmentChanged" in check_events(receiver)


async def test_the_website_feeds_users_as_described(world: Witness) -> None:
    ann = await world.person()
    issuer = Issuer(world.stack.directory / "site", world.stack.base_url)
    site = Person(SUBJECT, issuer.site_token(), world)
    fed: docs.Json = {
        "items": [{"userId": f"new-{world.mark}", "displayName": None, "contacts": []}]
    }

    await site.call("POST", "/site/users", fed)
    await ann.call("POST", "/site/users", fed)
    await site.call("POST", "/site/users", {"items": [{"userId": "a b"}]})

    assert {("feed_users", 204), ("feed_users", 403), ("feed_users", 400)} <= world.answered


async def test_every_method_and_event_of_the_hub_is_as_described(world: Witness) -> None:
    ann, bob = await world.people("ann", "bob")
    pair = await ann.direct(bob)
    phone, laptop = await ann.connect(), await bob.connect()

    await invoke(phone, "heartbeat", {})
    await invoke(phone, "watchPresence", {"userIds": [bob.user_id, "nobody"]})
    await invoke(phone, "sendMessage", {"conversationId": pair, **message()})
    await invoke(phone, "sendMessage", {"conversationId": pair, **message("")})
    await invoke(phone, "sendMessage", {"conversationId": "d-" + "0" * 32, **message()})
    await invoke(laptop, "acknowledge", {"conversationId": pair, "read": 1})
    await invoke(laptop, "acknowledge", {"conversationId": pair, "read": 2})
    await invoke(laptop, "acknowledge", {"conversationId": pair})
    await invoke(laptop, "setTyping", {"conversationId": pair, "typing": True})
    group = await ann.group(bob)
    await laptop.wait_for("conversationChanged", lambda it: it["conversation"]["id"] == group)
    await ann.good("DELETE", f"/conversations/{group}/members/{bob.user_id}")
    await laptop.wait_for("conversationRemoved")
    await ann.good("PUT", f"/conversations/{pair}/mute", {"until": 1_900_000_000_000})
    for name in ("receiptAdvanced", "typing", "inboxChanged"):
        await phone.wait_for(name)
    await laptop.close()
    await phone.wait_for("presenceChanged")

    heard = check_events(phone, laptop)
    assert heard == set(docs.events()) - {"attachmentChanged"}


@pytest.mark.parametrize("argument", [None, [], "text", 7, {"conversationId": 1}])
async def test_what_no_method_takes_is_refused_as_described(
    world: Witness, argument: object
) -> None:
    ann = await world.person()
    hub = await ann.connect()

    results = [
        await invoke(hub, name, argument) for name in sorted(docs.methods()) if name != "heartbeat"
    ]

    assert {result["ok"] for result in results} == {False}
