"""Members added and removed, and blocks, while the talk goes on; and those left out, who try.

A group has an owner, who talks, and a member, the mover, whom the owner removes and adds again; the
owner blocks and unblocks the mover too, whose direct conversation is then closed to both. The mover
never stops trying, by HTTP and by the hub, and listens on a connection of their own.
"""

import asyncio
import contextlib
import random
import uuid
from typing import Any, override

import aiohttp

from tests.hub import Hub
from tests.reliability.caller import Caller, introduced
from tests.reliability.final_state import now_ms
from tests.reliability.history import Attempt, Heard, History, Member, Right, Said
from tests.stack import Stack

_HUB_STATUS = {"not_found": 404, "blocked": 403, "forbidden": 403}
_ANSWER_S = 10.0


class Listener(Hub):
    """The mover's connection: every message pushed to it is written into `history`."""

    who: str
    history: History

    @override
    async def _take(self, message: Any) -> None:
        await super()._take(message)
        if message["type"] == 1 and message["target"] == "messagePosted":
            pushed = message["arguments"][0]["message"]
            names = ("conversationId", "senderId", "clientMessageId", "sequence")
            self.history.append(Heard(now_ms(), self.who, *(pushed[name] for name in names)))


class RightsWorkload:
    """Changes rights for some seconds, and tries what is not allowed all the while."""

    def __init__(self, owner: Caller, mover: Caller, seed: int, history: History) -> None:
        self._owner, self._mover = owner, mover
        self._chance = random.Random(f"rights {seed}")
        self._history = history
        self._group = self._direct = ""
        self._connection: Listener | None = None

    @classmethod
    async def gather(
        cls,
        stack: Stack,
        session: aiohttp.ClientSession,
        history: History,
        seed: int,
    ) -> "RightsWorkload":
        """Return one with people and conversations of its own."""
        names = (f"p{seed}-owner", f"p{seed}-mover")
        owner, mover = [await introduced(stack, session, history, who) for who in names]
        made = cls(owner, mover, seed, history)
        await made._meet()
        return made

    @property
    def conversations(self) -> list[str]:
        return [self._group, self._direct]

    async def run(self, ended: asyncio.Event) -> None:
        """Go on until *ended* is set; then the mover is a member, and blocked by nobody."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._move(ended))
            tasks.create_task(self._block(ended))
            tasks.create_task(self._talk(ended))
            tasks.create_task(self._try_by_http(ended))
            tasks.create_task(self._try_by_hub(ended))
        if self._connection is not None:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                await self._connection.close()

    async def _meet(self) -> None:
        asked = {"memberIds": [self._mover.who], "title": ""}
        for kind in ("group", "direct"):
            answer = await self._owner.insist("POST", "/conversations", {"kind": kind, **asked})
            setattr(self, f"_{kind}", str(answer.json["id"]))
        # The mover is no member from beginning to end: only rights speak of them.
        self._history += [Member(now_ms(), self._owner.who, one) for one in self.conversations]
        self._note(self._group, "member", "granted")
        self._note(self._direct, "post", "granted")

    async def _move(self, ended: asyncio.Event) -> None:
        path = f"/conversations/{self._group}/members"
        while not ended.is_set():
            await asyncio.sleep(self._chance.uniform(0.4, 1.0))
            self._note(self._group, "member", "taking")
            await self._owner.insist("DELETE", f"{path}/{self._mover.who}", also={404})
            self._note(self._group, "member", "taken")
            await asyncio.sleep(self._chance.uniform(0.6, 1.2))
            self._note(self._group, "member", "granting")
            await self._owner.insist("POST", path, {"userIds": [self._mover.who]})
            self._note(self._group, "member", "granted")

    async def _block(self, ended: asyncio.Event) -> None:
        path = f"/blocks/{self._mover.who}"
        while not ended.is_set():
            await asyncio.sleep(self._chance.uniform(0.4, 1.2))
            self._note(self._direct, "post", "taking")
            await self._owner.insist("PUT", path)
            self._note(self._direct, "post", "taken")
            await asyncio.sleep(self._chance.uniform(0.4, 1.2))
            self._note(self._direct, "post", "granting")
            await self._owner.insist("DELETE", path)
            self._note(self._direct, "post", "granted")

    def _note(self, conversation: str, right: str, step: str) -> None:
        self._history.append(Right(now_ms(), self._mover.who, conversation, right, step))

    async def _talk(self, ended: asyncio.Event) -> None:
        number = 0
        while not ended.is_set():
            number += 1
            await self._owner.say(self._group, f"{self._owner.who} {number}")
            await asyncio.sleep(self._chance.uniform(0.1, 0.4))

    async def _try_by_http(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            await asyncio.sleep(self._chance.uniform(0.05, 0.3))
            way = self._chance.choice(["read", "look", "post", "post to the blocker"])
            if way == "read":
                await self._get(f"/conversations/{self._group}/messages?limit=2")
            elif way == "look":
                await self._get(f"/conversations/{self._group}")
            elif way == "post":
                await self._post(self._group, "member")
            else:
                await self._post(self._direct, "post")

    async def _get(self, path: str) -> None:
        begun = now_ms()
        answer = await self._mover.attempt("GET", path)
        self._tried(begun, self._group, "member", f"GET {path}", answer.status)

    async def _post(self, conversation: str, right: str) -> None:
        message = self._said(conversation)
        begun = now_ms()
        answer = await self._mover.attempt(
            "POST", f"/conversations/{conversation}/messages", message
        )
        if answer.status in {200, 201}:
            self._mover.acknowledged(conversation, answer.json["message"])
        self._tried(begun, conversation, right, "POST messages", answer.status)

    async def _try_by_hub(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            await asyncio.sleep(self._chance.uniform(0.1, 0.4))
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, AssertionError):
                hub = await self._connected()
                await self._send(hub)

    async def _connected(self) -> Listener:
        if self._connection is None or not self._connection.is_open:
            proof = (self._mover.who, self._mover.token)
            async with asyncio.timeout(_ANSWER_S):
                base = self._mover.stack.base_url
                hub = await Listener.connect(self._mover.session, base, *proof)
            hub.who, hub.history = self._mover.who, self._history
            self._connection = hub
        return self._connection

    async def _send(self, hub: Listener) -> None:
        message = self._said(self._group)
        begun = now_ms()
        async with asyncio.timeout(_ANSWER_S):
            reply = await hub.invoke("sendMessage", {"conversationId": self._group, **message})
        if reply["ok"]:
            self._mover.acknowledged(self._group, reply["message"])
        status = 201 if reply["ok"] else _HUB_STATUS.get(reply["error"]["code"], 503)
        self._tried(begun, self._group, "member", "sendMessage", status)

    def _said(self, conversation: str) -> dict[str, str]:
        id_ = str(uuid.uuid4())
        body = f"{self._mover.who} {id_}"
        self._history.append(Said(now_ms(), self._mover.who, conversation, id_, body))
        return {"clientMessageId": id_, "body": body}

    def _tried(self, begun: int, conversation: str, right: str, way: str, status: int) -> None:
        ended, who = now_ms(), self._mover.who
        self._history.append(Attempt(begun, ended, who, conversation, right, way, status))
