"""Files in the talk: small ones, each with a message, and whether each can be read in the end."""

import asyncio

import aiohttp

from tests.reliability.caller import Caller, introduced
from tests.reliability.final_state import now_ms
from tests.reliability.history import FileLook, History, Member
from tests.stack import Stack

_PAUSE_S = 1.0


class FilesWorkload:
    """One sender of files in a conversation of their own, and one reader."""

    def __init__(self, sender: Caller, reader: Caller, history: History) -> None:
        self._sender, self._reader = sender, reader
        self._history = history
        self._conversation = ""
        self._sent: list[tuple[str, str, int, bytes]] = []

    @classmethod
    async def gather(
        cls,
        stack: Stack,
        session: aiohttp.ClientSession,
        history: History,
        seed: int,
    ) -> "FilesWorkload":
        """Return one with people and a conversation of its own."""
        names = (f"p{seed}-filer", f"p{seed}-viewer")
        sender, reader = [await introduced(stack, session, history, who) for who in names]
        made = cls(sender, reader, history)
        asked = {"kind": "direct", "memberIds": [names[1]]}
        answer = await sender.insist("POST", "/conversations", asked)
        made._conversation = str(answer.json["id"])
        history.append(Member(now_ms(), names[0], made._conversation))
        return made

    @property
    def conversations(self) -> list[str]:
        return [self._conversation]

    async def run(self, ended: asyncio.Event) -> None:
        """Send files until *ended* is set."""
        number = 0
        while not ended.is_set():
            number += 1
            await self._send(f"file {number} of {self._sender.who}\n".encode())
            await asyncio.sleep(_PAUSE_S)

    async def looks(self) -> list[FileLook]:
        """Return for every acknowledged message whether its file is readable."""
        return [
            FileLook(
                *(now_ms(), self._sender.who, self._conversation, id_, uploaded),
                readable=await self._is_readable(attachment, data),
            )
            for id_, attachment, uploaded, data in self._sent
        ]

    async def _send(self, data: bytes) -> None:
        asked = {"fileName": "note.txt", "contentType": "text/plain", "sizeBytes": len(data)}
        path = f"/conversations/{self._conversation}/attachments"
        granted = (await self._sender.insist("POST", path, asked)).json
        uploaded = now_ms()
        if not await self._upload(granted, data):
            return  # a client would begin anew, with a new grant
        attachment = str(granted["attachmentId"])
        body = f"with {attachment}"
        id_ = await self._sender.say(self._conversation, body, attachments=[attachment])
        if id_ is not None:
            self._sent.append((id_, attachment, uploaded, data))

    async def _upload(self, granted: dict[str, object], data: bytes) -> bool:
        url, headers = str(granted["uploadUrl"]), granted["headers"]
        assert isinstance(headers, dict)
        try:
            async with self._sender.session.put(url, data=data, headers=headers) as reply:
                return reply.status == 201
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _is_readable(self, attachment: str, data: bytes) -> bool:
        path = f"/api/conversations/{self._conversation}/attachments/{attachment}"
        headers = {"Authorization": f"Bearer {self._reader.token}"}
        url, session = f"{self._reader.stack.base_url}{path}", self._reader.session
        try:
            async with session.get(url, headers=headers, allow_redirects=False) as reply:
                link = reply.headers.get("Location", "")
            if not link:
                return False
            async with session.get(link) as reply:
                return reply.status == 200 and await reply.read() == data
        except (aiohttp.ClientError, TimeoutError):
            return False
