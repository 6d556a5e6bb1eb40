"""What there is in the end: read from the store past the app, and through it as a newcomer."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from azure.cosmos.aio import CosmosClient

from local.common.keys import load_or_create
from tests.reliability.history import Holds, Notified, Presence, Stored, Watermark
from tests.stack import Stack

_PAGE = 100
_QUERY = "SELECT c.senderId, c.clientMessageId, c.sequence, c.sentAt, c.kind FROM c"


def now_ms() -> int:
    """Return the moment in whole milliseconds begun, as the people's clock counts them."""
    return int(time.time() * 1000)


async def stored(stack: Stack, conversations: list[str]) -> list[Stored]:
    """Return every item of the store's container `messages` that is of *conversations*."""
    key = load_or_create(stack.directory).cosmos
    async with CosmosClient(f"http://127.0.0.1:{stack.ports.cosmos}/", key) as client:
        container = client.get_database_client("parley").get_container_client("messages")
        return [
            Stored(
                *(now_ms(), one, item["senderId"], item["clientMessageId"], item["sequence"]),
                sent_at=item["sentAt"],
                system=item["kind"] == "system",
            )
            for one in conversations
            async for item in container.query_items(_QUERY, partition_key=[one])
        ]


class RefusedError(AssertionError):
    """The service did not answer a call within the reader's patience, with no fault armed."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(f"{what} answers {status} without any fault")
        self.what, self.status = what, status


class Reader:
    """A person who asks over HTTP, as a client that has nothing yet."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        stack: Stack,
        who: str,
        token: str,
        *,
        patience_s: float,
    ) -> None:
        self._session = session
        self._base = f"{stack.base_url}/api"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._patience_s = patience_s
        self.who = who

    async def synced(self) -> AsyncIterator[Holds]:
        """Catch up from nothing: one sync, and history for what it says is not complete."""
        answer = await self.call("POST", "/sync", {"positions": {}, "limit": _PAGE})
        assert not answer["more"], "the harness has fewer conversations than one sync takes"
        for item in answer["items"]:
            conversation, messages = item["conversationId"], item["messages"]
            if not item["complete"]:
                messages = [*await self._before(conversation, messages), *messages]
            pairs = tuple((one["sequence"], one["clientMessageId"]) for one in messages)
            yield Holds(now_ms(), self.who, conversation, "synced", pairs)

    async def watermarks(self, conversation: str) -> list[Watermark]:
        """Return everyone's receipt."""
        asked_at = now_ms()
        details = await self.call("GET", f"/conversations/{conversation}")
        return [
            Watermark(asked_at, one["userId"], conversation, one["delivered"], one["read"])
            for one in details["receipts"]
        ]

    async def presences(self, truth: dict[str, str]) -> list[Presence]:
        """Return what is told of those in *truth*, beside the truth."""
        answer = await self.call("GET", f"/presence?userIds={','.join(truth)}")
        told = {one["userId"]: one["status"] for one in answer["items"]}
        return [Presence(now_ms(), who, told[who], true) for who, true in truth.items()]

    async def call(self, method: str, path: str, body: object = None) -> Any:
        """Call the API; one that is not available for a moment is asked again.

        Raises:
            RefusedError: It is still not available when patience ends.
            aiohttp.ClientResponseError: It refused.

        """
        deadline = time.monotonic() + self._patience_s
        while True:
            async with self._session.request(
                method, f"{self._base}{path}", json=body, headers=self._headers
            ) as reply:
                status = reply.status
                if status < 500:
                    reply.raise_for_status()
                    return await reply.json() if status != 204 else None
            if time.monotonic() > deadline:
                raise RefusedError(f"{method} {path}", status)
            await asyncio.sleep(0.5)

    async def _before(self, conversation: str, messages: list[Any]) -> list[Any]:
        older: list[Any] = []
        first = messages[0]["sequence"]
        while first > 1:
            path = f"/conversations/{conversation}/messages?before={first}&limit={_PAGE}"
            page = (await self.call("GET", path))["items"]
            if not page:
                break
            older = [*page, *older]
            first = page[0]["sequence"]
        return older


async def notified(
    session: aiohttp.ClientSession, stack: Stack, who: str, ids: dict[str, str]
) -> list[Notified]:
    """Return whom the push service was told of; *ids* gives the message id of each body."""
    url = f"{stack.base_url}/dev/notifications?userId={who}"
    async with session.get(url) as reply:
        items = (await reply.json())["items"]
    return [
        Notified(one["at"], who, one["conversationId"], ids.get(one["body"], one["body"]))
        for one in items
    ]
