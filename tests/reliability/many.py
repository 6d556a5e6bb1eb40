"""Somebody with very many conversations, written into the store past the app, and all they see."""

import asyncio
import contextlib
import time
import uuid
from typing import Any

import aiohttp

from tests.integration.app.people import Person
from tests.reliability.stack_probe import container, conversation_item

_WRITERS = 8
_AGAIN_S = 0.5
_PAGE = 100
_WITH_MESSAGE = 10  # one in so many has a message
_APART_MS = 8 * 3_600_000  # three conversations a day: a thousand are a year old


async def furnish(person: Person, other: Person, count: int) -> dict[str, str]:
    """Give *person* that many direct conversations; return the last message's body of each.

    They are written as copies of one that the app made, each some hours older than the one before;
    every tenth has a message, and an empty body stands for none.
    """
    template = await conversation_item(person.world.stack, await person.direct(other))
    template = {name: value for name, value in template.items() if name[0] != "_"}
    template.pop("live", None)
    ids = [f"d-{uuid.uuid4().hex}" for _ in range(count)]
    bodies = {
        id_: "" if number % _WITH_MESSAGE else f"last of {id_}" for number, id_ in enumerate(ids)
    }
    stack = person.world.stack
    async with (
        container(stack, "conversations") as conversations,
        container(stack, "memberships") as memberships,
        container(stack, "messages") as messages,
    ):

        async def write(id_: str) -> None:
            at = template["createdAt"] - _APART_MS * (ids.index(id_) + 1)
            if body := bodies[id_]:
                await messages.upsert_item(_message(id_, other.user_id, body, at))
            members = [{**member, "joinedAt": at} for member in template["members"]]
            times = {"createdAt": at, "activeFrom": at, "members": members}
            await conversations.upsert_item({**template, **times, "id": id_})
            own = {"id": id_, "userId": person.user_id, "joinedAt": at, "activeFrom": at}
            await memberships.upsert_item(own)

        for first in range(0, count, _WRITERS):
            await asyncio.gather(*map(write, ids[first : first + _WRITERS]))
    return bodies


async def whole_inbox(person: Person, within_s: float) -> dict[str, str]:
    """Return the last message's body of each conversation, from every page of the inbox.

    A page that is not to be had is asked for again, as a client does.

    Raises:
        AssertionError: A conversation came twice, or a page not at all within *within_s* seconds.

    """
    found: dict[str, str] = {}
    query = f"?limit={_PAGE}"
    while True:
        page = await patiently(person, "GET", f"/conversations{query}", None, within_s)
        for item in page["items"]:
            id_ = item["conversation"]["id"]
            assert id_ not in found, f"{id_} came twice"
            found[id_] = (item["lastMessage"] or {"body": ""})["body"]
        if page["continuation"] is None:
            return found
        query = f"?limit={_PAGE}&continuation={page['continuation']}"


async def whole_sync(person: Person, within_s: float) -> dict[str, str]:
    """Return the last message's body of each conversation that syncs bring a new device."""
    found: dict[str, str] = {}
    positions: dict[str, int] = {}
    while True:
        answer = await patiently(person, "POST", "/sync", {"positions": positions}, within_s)
        for item in answer["items"]:
            if item["messages"]:  # one in which nothing was said yet may be told of too
                found[item["conversationId"]] = item["messages"][-1]["body"]
            positions[item["conversationId"]] = item["latestSequence"]
        if not answer["more"]:
            return found


async def patiently(
    person: Person, method: str, path: str, body: object, within_s: float
) -> dict[str, Any]:
    """Return the answer to a call that may fail for a while.

    Raises:
        AssertionError: It still does after *within_s* seconds, or is refused.

    """
    deadline = time.monotonic() + within_s
    while True:
        seen: object = None
        with contextlib.suppress(TimeoutError, aiohttp.ClientError):
            reply = await person.call(method, path, body)
            if reply.status == 200:
                answer: dict[str, Any] = reply.json
                return answer
            assert reply.status >= 500, reply
            seen = reply
        assert time.monotonic() < deadline, seen
        await asyncio.sleep(_AGAIN_S)


def _message(conversation: str, sender: str, body: str, at: int) -> dict[str, Any]:
    return {
        "id": f"{1:012d}",
        "conversationId": conversation,
        "bucket": 0,
        "sequence": 1,
        "senderId": sender,
        "clientMessageId": str(uuid.uuid4()),
        "kind": "text",
        "body": body,
        "attachments": [],
        "replyTo": None,
        "sentAt": at,
    }
