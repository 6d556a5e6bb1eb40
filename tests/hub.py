"""A SignalR client in the raw: what a connection of the hub `chat` says and hears, in JSON.

It speaks the protocol's own steps and nothing more, so a test sees exactly what arrived and in
what order. Source: the SignalR hub and transport protocol specifications.
"""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, urlsplit, urlunsplit

import aiohttp

DEADLINE_S = 15.0

# The service drops a client it has not heard for 30 s.
_PING_S = 10.0
_END = "\x1e"
_INVOCATION, _PING, _CLOSE = 1, 6, 7


class HubClosedError(AssertionError):
    """The connection ended while an answer was awaited."""


@dataclass(frozen=True, slots=True)
class Event:
    """One push, as it arrived."""

    name: str
    argument: dict[str, Any]


class Hub:
    """One connection. `events` holds every push since it was made, oldest first."""

    def __init__(self, connection_id: str, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.connection_id = connection_id
        self.events: list[Event] = []
        self.close_reason: str | None = None
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())
        self._pinger = asyncio.create_task(self._ping())
        self._reader.add_done_callback(lambda _: self._pinger.cancel())

    @classmethod
    async def connect(
        cls, session: aiohttp.ClientSession, base_url: str, user_id: str, token: str
    ) -> Self:
        """Negotiate with the app, then with the service, and shake hands.

        Raises:
            aiohttp.ClientResponseError: One of the two refused.

        """
        return await cls.follow(session, *await cls.negotiate(session, base_url, user_id, token))

    @staticmethod
    async def negotiate(
        session: aiohttp.ClientSession, base_url: str, user_id: str, token: str
    ) -> tuple[str, str]:
        """Return the service's address and the access token that the app's negotiate gives out.

        Raises:
            aiohttp.ClientResponseError: The app refused.

        """
        headers = {"Authorization": f"Bearer {token}", "x-ms-signalr-userid": user_id}
        async with session.post(f"{base_url}/api/negotiate", headers=headers) as reply:
            reply.raise_for_status()
            info = await reply.json()
        return info["url"], info["accessToken"]

    @classmethod
    async def follow(cls, session: aiohttp.ClientSession, url: str, access_token: str) -> Self:
        """Connect to the service with what the app's negotiate gave out."""
        parts = urlsplit(url)
        asked = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/negotiate"))
        bearer = {"Authorization": f"Bearer {access_token}"}
        async with session.post(f"{asked}&negotiateVersion=1", headers=bearer) as reply:
            reply.raise_for_status()
            ticket = await reply.json()
        query = f"&id={quote(ticket['connectionToken'])}&access_token={quote(access_token)}"
        socket = await session.ws_connect(f"{url}{query}", max_msg_size=0)
        await socket.send_str('{"protocol":"json","version":1}' + _END)
        answer = await socket.receive_str(timeout=DEADLINE_S)
        assert answer == "{}" + _END, answer
        return cls(str(ticket["connectionId"]), socket)

    async def invoke(self, method: str, *arguments: object) -> Any:
        """Call *method* and return its result; the app's methods return an object always.

        Raises:
            AssertionError: The completion holds an error: an exception has left a hub method.

        """
        completion = await self.complete(method, *arguments)
        assert "error" not in completion, completion
        return completion["result"]

    async def complete(self, method: str, *arguments: object) -> dict[str, Any]:
        """Call *method* and return the whole completion message.

        Raises:
            HubClosedError: The connection ended first.

        """
        identifier = str(next(self._ids))
        answer = asyncio.get_running_loop().create_future()
        self._answers[identifier] = answer
        message = {
            "type": _INVOCATION,
            "invocationId": identifier,
            "target": method,
            "arguments": arguments,
        }
        try:
            await self._socket.send_str(json.dumps(message) + _END)
        except ConnectionError as error:
            raise HubClosedError from error
        completion: dict[str, Any] = await asyncio.wait_for(answer, DEADLINE_S)
        return completion

    async def wait_for(
        self,
        name: str,
        where: Callable[[dict[str, Any]], object] = lambda _: True,
        within_s: float = DEADLINE_S,
    ) -> dict[str, Any]:
        """Return the argument of the first event *name* that fits, arrived or to come.

        Raises:
            AssertionError: None came within *within_s* seconds.

        """
        await self.until(lambda: self.heard(name, where), f"no such {name}", within_s)
        return self.heard(name, where)[0]

    async def until(
        self, condition: Callable[[], object], otherwise: str, within_s: float = DEADLINE_S
    ) -> None:
        """Return when *condition* holds, which is asked again after each event.

        Raises:
            AssertionError: It does not within *within_s* seconds; the text begins with *otherwise*.

        """
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(lambda: bool(condition()))
        except TimeoutError:
            raise AssertionError(f"{otherwise} in {within_s} s; heard {self.events}") from None

    def heard(
        self, name: str, where: Callable[[dict[str, Any]], object] = lambda _: True
    ) -> list[dict[str, Any]]:
        """Return the arguments of the events *name* that have arrived and fit."""
        return [each.argument for each in self.events if each.name == name and where(each.argument)]

    async def close(self) -> None:
        """Say goodbye and end the connection."""
        with contextlib.suppress(ConnectionError):
            await self._socket.send_str(json.dumps({"type": _CLOSE}) + _END)
        await self._socket.close()
        await self._reader

    async def closed(self, within_s: float = DEADLINE_S) -> None:
        """Return when the service has ended the connection.

        Raises:
            TimeoutError: It has not within *within_s* seconds.

        """
        await asyncio.wait_for(asyncio.shield(self._reader), within_s)

    @property
    def is_open(self) -> bool:
        return not self._reader.done()

    async def _read(self) -> None:
        async for frame in self._socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                break
            for text in frame.data.split(_END)[:-1]:
                await self._take(json.loads(text))
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(HubClosedError("the connection ended"))
                answer.exception()  # whoever awaits it hears of it; nobody may

    async def _ping(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await asyncio.sleep(_PING_S)
                await self._socket.send_str(json.dumps({"type": _PING}) + _END)

    async def _take(self, message: Mapping[str, Any]) -> None:
        match message["type"]:
            case 1:  # an invocation: a push
                (argument,) = message["arguments"]
                async with self._news:
                    self.events.append(Event(message["target"], argument))
                    self._news.notify_all()
            case 3:  # a completion
                answer = self._answers.pop(message["invocationId"])
                if not answer.done():
                    answer.set_result(dict(message))
            case 7:  # the service closes the connection
                self.close_reason = message.get("error")
            case _:
                return
