"""Somebody is erased while they write; and what then remains of them, in answers and in stores.

Everything of theirs bears one word, their mark: bodies, their name, a file and its name. The mark
is looked for. Their id is not: docs/operations.md says where it stays and why.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator

import aiohttp

from tests.hub import Hub
from tests.reliability import stack_probe
from tests.reliability.caller import Caller, introduced
from tests.reliability.final_state import now_ms
from tests.reliability.history import History, Remains
from tests.stack import Stack

_ANSWER_S = 15.0
_PAUSE_S = 0.15
_GOES_ON_S = 1.0  # at least, after the erasure has ended
_MOST_STEPS = 200


class ErasureWorkload:
    """Somebody who writes, by HTTP and by hub, to one friend and to a group, and is erased."""

    def __init__(self, writer: Caller, friend: Caller, site: Caller, mark: str) -> None:
        self._writer, self._friend, self._site = writer, friend, site
        self._mark = mark
        self._stack = writer.stack
        self._conversations: list[str] = []
        self._ended = asyncio.Event()
        self.attempts = 0

    @classmethod
    async def gather(
        cls,
        stack: Stack,
        session: aiohttp.ClientSession,
        seed: int,
    ) -> "ErasureWorkload":
        """Return one with people and conversations of its own, and a file."""
        mark = f"mark{uuid.uuid4().hex}"
        # What these people say is not in the talk's history: it is to vanish.
        nothing: History = []
        names = (f"p{seed}-writer", f"p{seed}-friend")
        token = await stack.token(names[0], name=f"Name {mark}")
        writer = Caller(names[0], token, session, stack, nothing)
        friend = await introduced(stack, session, nothing, names[1])
        proof = await stack_probe.site_token(stack)
        made = cls(writer, friend, Caller("site", proof, session, stack, nothing), mark)
        await made._meet()
        return made

    async def run(self, seconds: float, ended: asyncio.Event) -> None:
        """Write until *ended* is set; be erased from the middle of *seconds* on."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write_by_http())
            tasks.create_task(self._write_by_hub())
            await asyncio.sleep(seconds / 2)
            await self._erase()
            await asyncio.sleep(_GOES_ON_S)
            await ended.wait()
            self._ended.set()

    async def remains(self) -> list[Remains]:
        """Return where the mark still stands."""
        looks = {
            "a history": self._histories,
            "an inbox": self._inbox,
            "a sync": self._sync,
            "cosmos": self._cosmos,
            "redis": self._redis,
            "the queue": self._queue,
            "blobs": self._blobs,
        }
        return [
            Remains(now_ms(), self._writer.who, where, text[:200])
            for where, look in looks.items()
            async for text in look()
            if self._mark in text
        ]

    async def _meet(self) -> None:
        asked = {"memberIds": [self._friend.who], "title": ""}
        for kind in ("direct", "group"):
            answer = await self._writer.insist("POST", "/conversations", {"kind": kind, **asked})
            self._conversations.append(str(answer.json["id"]))
        for conversation in self._conversations:
            await self._writer.say(conversation, f"first {self._mark}")
        await self._send_file(self._conversations[1])

    async def _send_file(self, conversation: str) -> None:
        data = f"what the file says of {self._mark}\n".encode()
        name = f"{self._mark}.txt"
        asked = {"fileName": name, "contentType": "text/plain", "sizeBytes": len(data)}
        path = f"/conversations/{conversation}/attachments"
        granted = (await self._writer.insist("POST", path, asked)).json
        async with self._writer.session.put(
            granted["uploadUrl"], data=data, headers=granted["headers"]
        ) as reply:
            reply.raise_for_status()
        await self._writer.say(conversation, self._mark, attachments=[granted["attachmentId"]])

    async def _erase(self) -> None:
        continuation: object = None
        for _ in range(_MOST_STEPS):
            path, asked = f"/site/users/{self._writer.who}/erase", {"continuation": continuation}
            continuation = (await self._site.insist("POST", path, asked)).json["continuation"]
            if continuation is None:
                return
        raise AssertionError(f"the erasure of {self._writer.who} does not end")

    async def _write_by_http(self) -> None:
        number = 0
        while not self._ended.is_set():
            number += 1
            conversation = self._conversations[number % 2]
            path = f"/conversations/{conversation}/messages"
            await self._writer.attempt("POST", path, self._message(number))
            await asyncio.sleep(_PAUSE_S)

    async def _write_by_hub(self) -> None:
        hub: Hub | None = None
        number = 0
        while not self._ended.is_set():
            number += 1
            await asyncio.sleep(_PAUSE_S)
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, AssertionError):
                if hub is None or not hub.is_open:
                    hub = await self._connected()
                async with asyncio.timeout(_ANSWER_S):
                    said = {"conversationId": self._conversations[number % 2]}
                    await hub.invoke("sendMessage", {**said, **self._message(number)})
        if hub is not None:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                await hub.close()

    async def _connected(self) -> Hub:
        proof = (self._writer.who, self._writer.token)
        async with asyncio.timeout(_ANSWER_S):
            return await Hub.connect(self._writer.session, self._stack.base_url, *proof)

    def _message(self, number: int) -> dict[str, str]:
        self.attempts += 1
        return {"clientMessageId": str(uuid.uuid4()), "body": f"{number} {self._mark}"}

    async def _histories(self) -> AsyncIterator[str]:
        for conversation in self._conversations:
            path = f"/conversations/{conversation}"
            yield str((await self._friend.insist("GET", path, also={404})).json)
            async for page in self._pages(f"{path}/messages?limit=100"):
                yield page

    async def _pages(self, path: str) -> AsyncIterator[str]:
        before = ""
        while True:
            answer = await self._friend.insist("GET", f"{path}{before}", also={404})
            items = answer.json.get("items", [])
            for item in items:
                yield str(item)
            if not items or items[0]["sequence"] == 1:
                return
            before = f"&before={items[0]['sequence']}"

    async def _inbox(self) -> AsyncIterator[str]:
        for item in (await self._friend.insist("GET", "/conversations")).json["items"]:
            yield str(item)

    async def _sync(self) -> AsyncIterator[str]:
        for item in (await self._friend.insist("POST", "/sync", {"positions": {}})).json["items"]:
            yield str(item)

    async def _cosmos(self) -> AsyncIterator[str]:
        for conversation in self._conversations:
            async with stack_probe.container(self._stack, "messages") as messages:
                query = messages.query_items("SELECT * FROM c", partition_key=[conversation])
                async for item in query:
                    yield str(item)
        for name in stack_probe.containers():
            if name != "messages":
                async with stack_probe.container(self._stack, name) as other:
                    async for item in other.query_items("SELECT * FROM c"):
                        yield str(item)

    async def _redis(self) -> AsyncIterator[str]:
        async for text in stack_probe.everything_in_redis(self._stack):
            yield text

    async def _queue(self) -> AsyncIterator[str]:
        for text in await stack_probe.queued(self._stack):
            yield text
        for letter in await stack_probe.dead_letters(self._stack):
            yield str(letter)

    async def _blobs(self) -> AsyncIterator[str]:
        async for text in stack_probe.blobs(self._stack, self._conversations):
            yield text


async def wait_quiet(workload: ErasureWorkload, within_s: float) -> list[Remains]:
    """Return what remains, once nothing does or when time is up."""
    deadline = time.monotonic() + within_s
    while True:
        found = await workload.remains()
        if not found or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.5)
