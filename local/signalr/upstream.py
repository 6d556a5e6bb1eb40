"""Calling the function app: events of connections, and invocations with their replies.

One connection's calls go one after another: `connected`, each message once the one before it was
answered, then `disconnected`. Different connections do not wait for each other.

Source: the service's documentation of upstream endpoints; its local emulator for the order of
calls and the texts of errors.
"""

import asyncio
import hmac
import json
import logging
from dataclasses import dataclass

import aiohttp

from local.signalr.connection import Connection
from local.signalr.delivery import Counters, Delivery
from local.signalr.faults import SignalRFaults
from local.signalr.protocol import JSON, ClientMessage, Codec
from local.signalr.settings import ServiceSettings
from local.signalr.tokens import is_header_safe

_log = logging.getLogger(__name__)

_MAX_REPLY_BYTES = 16 * 1024 * 1024
_MAX_TARGET = 512
_KEEP_ALIVE_S = 30
_SOCKETS = 256
_CONNECTED = b'{"type":10}'
_UNREACHABLE = 500


@dataclass(frozen=True, slots=True)
class Event:
    """One thing to tell the app."""

    category: str
    name: str
    body: bytes
    content_type: str = JSON.content_type


@dataclass(frozen=True, slots=True)
class Reply:
    """What the app answered; a body of None was larger than a reply may be."""

    status: int
    body: bytes | None = b""


class Upstream:
    """The caller of the function app."""

    def __init__(
        self,
        settings: ServiceSettings,
        *,
        delivery: Delivery,
        faults: SignalRFaults,
        counters: Counters,
    ) -> None:
        self._templates = settings.upstream
        self._access_key = settings.access_key
        self._delivery = delivery
        self._faults = faults
        self._counters = counters
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_SOCKETS, keepalive_timeout=_KEEP_ALIVE_S),
            timeout=aiohttp.ClientTimeout(total=settings.timing.upstream_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers={"User-Agent", "Accept", "Accept-Encoding"},
        )

    async def close(self) -> None:
        await self._session.close()

    async def serve(self, connection: Connection) -> None:
        """Make every call of *connection*, from `connected` to `disconnected`."""
        headers = self._headers(connection)
        await self._announce(connection, headers, Event("connections", "connected", _CONNECTED))
        while (message := await _next_message(connection)) is not None:
            await self._forward(connection, headers, message)
        body = _disconnected(connection.error)
        await self._announce(connection, headers, Event("connections", "disconnected", body))

    async def _announce(
        self, connection: Connection, headers: dict[str, str], event: Event
    ) -> None:
        fault = await self._faults.strike(event.name) if self._faults else None
        url = self._route(connection.hub, event) if fault is None else None
        if url is not None:
            _log_failure(connection, event, await self._call(url, headers, event))

    async def _forward(
        self, connection: Connection, headers: dict[str, str], message: ClientMessage
    ) -> None:
        codec = connection.codec or JSON
        event = Event("messages", message.target, message.body, codec.content_type)
        url = self._route(connection.hub, event)
        if url is None:
            return  # nobody is told, and an invocation never completes
        reply = await self._invoke(url, headers, event)
        if message.invocation_id is None:
            _log_failure(connection, event, reply)
        else:
            self._delivery.reply(connection, _answer(codec, message.invocation_id, reply))

    async def _invoke(self, url: str, headers: dict[str, str], event: Event) -> Reply:
        if len(event.name) > _MAX_TARGET or not is_header_safe(event.name):
            return Reply(400)
        fault = await self._faults.strike("upstream") if self._faults else None
        if fault is not None and fault.kind == "error":
            return Reply(fault.status or 503)
        reply = await self._call(url, headers, event)
        return reply if fault is None else Reply(_UNREACHABLE)

    def _route(self, hub: str, event: Event) -> str | None:
        for template in self._templates:
            if template.matches(hub, event.category, event.name):
                return template.resolve(hub, event.category, event.name)
        return None

    async def _call(self, url: str, headers: dict[str, str], event: Event) -> Reply:
        self._counters.upstream_calls += 1
        sent = {
            **headers,
            "X-ASRS-Category": event.category,
            "X-ASRS-Event": event.name,
            "Content-Type": event.content_type,
        }
        try:
            async with self._session.post(url, data=event.body, headers=sent) as response:
                return Reply(response.status, await _read(response))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _log.warning("%s unreachable: %s", event.name, error or type(error).__name__)
            return Reply(_UNREACHABLE)

    def _headers(self, connection: Connection) -> dict[str, str]:
        digest = hmac.digest(self._access_key.encode(), connection.id.encode(), "sha256")
        headers = {
            "X-ASRS-Connection-Id": connection.id,
            "X-ASRS-Hub": connection.hub,
            "X-ASRS-User-Claims": connection.ticket.identity.claims,
            "X-ASRS-Client-Query": f"?{connection.query}",
            "X-ASRS-Signature": f"sha256={digest.hex().upper()}",
        }
        if connection.user_id is not None:
            headers["X-ASRS-User-Id"] = connection.user_id
        return headers


async def _next_message(connection: Connection) -> ClientMessage | None:
    try:
        return await connection.inbox.get()
    except asyncio.QueueShutDown:
        return None


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    if (response.content_length or 0) > _MAX_REPLY_BYTES:
        return None
    if response.content_length is not None:
        return await response.read()
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MAX_REPLY_BYTES:
            return None
    return bytes(body)


def _answer(codec: Codec, invocation_id: str, reply: Reply) -> bytes:
    if reply.body is None:
        return codec.completion(invocation_id, "Invocation failed, response too large.")
    if reply.status == 200 and reply.body:
        return reply.body
    if reply.status in {200, 204}:
        return codec.completion(invocation_id, None)
    return codec.completion(invocation_id, f"Invocation failed, status code {reply.status}")


def _disconnected(error: str | None) -> bytes:
    message = {"type": 11} if error is None else {"type": 11, "error": error}
    return json.dumps(message, separators=(",", ":")).encode()


def _log_failure(connection: Connection, event: Event, reply: Reply) -> None:
    if not 200 <= reply.status < 300:
        _log.warning("%s of %s: status %d", event.name, connection.id, reply.status)
