"""Somebody who calls over HTTP while services fail: one attempt at a time, or until it is done."""

import asyncio
import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.reliability.final_state import now_ms
from tests.reliability.history import Acknowledged, History, Said
from tests.stack import Stack

_PATIENCE = aiohttp.ClientTimeout(total=20)
_AGAIN_S = 0.25
# Longer than any fault lasts, and than a slow machine takes to start everything anew.
_INSISTS_S = 240.0
_DONE = range(200, 300)


class UndoneError(AssertionError):
    """A call was not done within its patience, though nothing fails for so long."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A call's status, 0 when there was no answer, and the JSON that it brought."""

    status: int
    json: Any = None


@dataclass(frozen=True, slots=True)
class Caller:
    """A user with a token; what they say is written into *history*."""

    who: str
    token: str
    session: aiohttp.ClientSession
    stack: Stack
    history: History

    async def attempt(self, method: str, path: str, body: object = None) -> Answer:
        """Call once; *path* stands below `/api`."""
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.stack.base_url}/api{path}"
        try:
            async with self.session.request(
                method, url, json=body, headers=headers, timeout=_PATIENCE, allow_redirects=False
            ) as reply:
                is_json = "json" in reply.content_type
                return Answer(reply.status, await reply.json() if is_json else None)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return Answer(0)

    async def insist(
        self, method: str, path: str, body: object = None, *, also: Collection[int] = ()
    ) -> Answer:
        """Call until it is done, or answered with one of the statuses *also*.

        Raises:
            UndoneError: It is neither when patience ends.

        """
        deadline = time.monotonic() + _INSISTS_S
        while True:
            answer = await self.attempt(method, path, body)
            if answer.status in _DONE or answer.status in also:
                return answer
            if time.monotonic() > deadline:
                raise UndoneError(f"{self.who}: {method} {path} answers {answer}")
            await asyncio.sleep(_AGAIN_S)

    async def say(
        self, conversation: str, body: str, *, attachments: Collection[str] = ()
    ) -> str | None:
        """Post a message as an outbox does, until it is acknowledged; return its client's id.

        None when it was refused: the file it names is not there.
        """
        id_ = str(uuid.uuid4())
        asked: dict[str, Any] = {"clientMessageId": id_, "body": body}
        asked["attachments"] = [{"attachmentId": one} for one in attachments]
        self.history.append(Said(now_ms(), self.who, conversation, id_, body))
        path, refusals = f"/conversations/{conversation}/messages", {400, 404}
        answer = await self.attempt("POST", path, asked)
        if answer.status not in _DONE and answer.status not in refusals:
            answer = await self.insist("POST", path, {**asked, "retry": True}, also=refusals)
        if answer.status not in _DONE:
            return None
        self.acknowledged(conversation, answer.json["message"])
        return id_

    def acknowledged(self, conversation: str, message: dict[str, Any]) -> None:
        """Write down that the service has taken *message*."""
        id_, sequence = message["clientMessageId"], message["sequence"]
        self.history.append(Acknowledged(now_ms(), self.who, conversation, id_, sequence))


async def introduced(
    stack: Stack, session: aiohttp.ClientSession, history: History, who: str
) -> Caller:
    """Return a caller whom the chat knows."""
    return Caller(who, await stack.token(who), session, stack, history)
