"""Groups and connections over SignalR Service's REST API, version 2022-06-01."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, override
from urllib.parse import quote

import aiohttp
import jwt
from azure.core.credentials_async import AsyncTokenCredential
from yarl import URL

from shared.adapters.connection_string import parse
from shared.adapters.signalr.health import base_url
from shared.config import Endpoint
from shared.domain.errors import UnavailableError
from shared.domain.events import ToConnection, ToUser
from shared.ports import ConnectionHub

logger = logging.getLogger(__name__)

_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)
_VERSION: Final = "2022-06-01"
_SCOPE: Final = "https://signalr.azure.com/.default"
_TOKEN_S: Final = 300
_TRIES: Final = 2
_PAUSE_S: Final = 0.2


class SignalRConnections(ConnectionHub):
    """Fulfils `ConnectionHub`. Nobody who is not connected is an error: 404 counts as done."""

    def __init__(
        self, endpoint: Endpoint, hub: str, credential: Callable[[], AsyncTokenCredential]
    ) -> None:
        self._url = f"{base_url(endpoint)}/api/hubs/{hub}"
        self._key = parse(endpoint.connection_string).get("accesskey", "")
        self._credential = None if self._key else credential()
        self._session: aiohttp.ClientSession | None = None

    @override
    async def join(self, who: ToUser | ToConnection, group: str) -> None:
        await self._call("PUT", _membership(who, group))

    @override
    async def leave(self, who: ToUser | ToConnection, group: str) -> None:
        await self._call("DELETE", _membership(who, group))

    @override
    async def close(self, who: ToUser | ToConnection, *, reason: str) -> None:
        if isinstance(who, ToUser):
            await self._call("POST", f"users/{_segment(who.user_id)}/:closeConnections", reason)
        else:
            await self._call("DELETE", f"connections/{_segment(who.connection_id)}", reason)

    async def aclose(self) -> None:
        """End the connections to the service; the next call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _call(self, method: str, path: str, reason: str = "") -> None:
        for attempt in range(_TRIES):
            status = await self._answer(method, f"{self._url}/{path}", reason)
            if status < HTTPStatus.MULTIPLE_CHOICES or status == HTTPStatus.NOT_FOUND:
                return
            if status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.TOO_MANY_REQUESTS:
                logger.error("SignalR Service refused a call: %d", status)
                break
            if attempt + 1 < _TRIES:
                await asyncio.sleep(_PAUSE_S * (1 + random.random()))  # noqa: S311  # jitter
        raise UnavailableError("SignalR Service does not answer")

    async def _answer(self, method: str, url: str, reason: str) -> int:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        query = f"?api-version={_VERSION}" + (f"&reason={quote(reason, safe='')}" if reason else "")
        headers = {"Authorization": f"Bearer {await self._token(url)}"}
        try:
            async with self._session.request(
                method, URL(url + query, encoded=True), headers=headers, allow_redirects=False
            ) as answer:
                return answer.status
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            logger.info("SignalR Service: %s", type(error).__name__)
            return HTTPStatus.SERVICE_UNAVAILABLE

    async def _token(self, url: str) -> str:
        if self._credential is not None:
            return (await self._credential.get_token(_SCOPE)).token
        claims = {"aud": url, "exp": int(time.time()) + _TOKEN_S}
        return jwt.encode(claims, self._key, algorithm="HS256")


def _membership(who: ToUser | ToConnection, group: str) -> str:
    if isinstance(who, ToUser):
        return f"users/{_segment(who.user_id)}/groups/{_segment(group)}"
    return f"groups/{_segment(group)}/connections/{_segment(who.connection_id)}"


def _segment(text: str) -> str:
    return quote(text, safe="")
