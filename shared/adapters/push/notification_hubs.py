"""Azure Notification Hubs: one way to APNs and FCM, over its REST API, device by device.

Nothing is registered at the hub: each notification is sent directly to a handle that the chat
keeps, so there is no second list of devices. Written from the documentation of the REST API and
tested against a local endpoint of its shape; never run against Azure.
"""

import base64
import hashlib
import hmac
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, override
from urllib.parse import quote, urlsplit

import aiohttp
from azure.core.credentials_async import AsyncTokenCredential
from yarl import URL

from shared.adapters.connection_string import parse
from shared.adapters.push.hub_payloads import Outgoing, clearing, showing
from shared.config import NotificationHub
from shared.domain.errors import UnavailableError
from shared.domain.people.notification import Dismissal, Notification
from shared.domain.people.user import Subscription
from shared.ports import NotificationChannel

logger = logging.getLogger(__name__)

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_SEND: Final = "?direct&api-version=2015-04"
_LOOK: Final = "?api-version=2016-07"
_SCOPE: Final = "https://servicebus.azure.net/.default"
_TOKEN_S: Final = 3600
_RENEWED_S: Final = 300  # before a token's end
_REMEMBERED: Final = 10_000
# Outcomes after which a device does not come back.
# Source: Notification Hubs' per message telemetry, `Outcome/Name`.
_GONE: Final = re.compile(r"<Name>\s*(ExpiredChannel|BadChannel|WrongToken)\s*</Name>")
_NO_WAIT: Final = 1000


class NotificationHubs(NotificationChannel):
    """Fulfils `NotificationChannel` for apps.

    The hub takes a notification and asks the platform later, so a device that is gone shows only in
    the telemetry of an earlier notification, which is looked at before the next one (Standard tier;
    on the others a device is forgotten when the user's list of devices is full).
    """

    def __init__(
        self, hub: NotificationHub, credential: Callable[[], AsyncTokenCredential]
    ) -> None:
        self._url = f"{_base(hub)}/{quote(hub.name)}/messages/"
        keys = parse(hub.endpoint.connection_string)
        self._key = keys.get("sharedaccesskeyname", ""), keys.get("sharedaccesskey", "")
        self._credential = None if self._key[0] else credential()
        self._token = "", 0.0
        self._session: aiohttp.ClientSession | None = None
        self._last: OrderedDict[str, str] = OrderedDict()

    @override
    async def deliver(self, subscription: Subscription, notification: Notification) -> bool:
        return await self._send(subscription, showing(subscription.platform, notification))

    @override
    async def clear(self, subscription: Subscription, dismissal: Dismissal) -> bool:
        return await self._send(subscription, clearing(subscription.platform, dismissal))

    async def aclose(self) -> None:
        """End the connections; the next call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _send(self, subscription: Subscription, outgoing: Outgoing) -> bool:
        handle = subscription.endpoint
        if await self._is_gone(handle):
            return False
        headers = {
            **outgoing.headers,
            "Content-Type": "application/json;charset=utf-8",
            "ServiceBusNotification-DeviceHandle": handle,
        }
        status, answered, _ = await self._call("POST", self._url + _SEND, headers, outgoing.body)
        if status == HTTPStatus.GONE:
            return False
        if status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
            raise _refusal(status, answered)
        self._remember(handle, answered.get("Location", ""))
        return True

    async def _is_gone(self, handle: str) -> bool:
        location = self._last.pop(handle, "")
        if not location:
            return False
        status, _, text = await self._call("GET", self._telemetry(location), {}, b"")
        return status == HTTPStatus.OK and _GONE.search(text) is not None

    def _telemetry(self, location: str) -> str:
        # Only the id is taken from the answer: where to ask stays ours to say.
        return self._url + quote(urlsplit(location).path.rpartition("/")[2]) + _LOOK

    def _remember(self, handle: str, location: str) -> None:
        if location:
            self._last[handle] = location
            if len(self._last) > _REMEMBERED:
                self._last.popitem(last=False)

    async def _call(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], str]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        sent = {**headers, "Authorization": await self._authorization()}
        try:
            async with self._session.request(
                method, URL(url, encoded=True), data=body, headers=sent, allow_redirects=False
            ) as answer:
                return answer.status, answer.headers, await answer.text(errors="replace")
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise UnavailableError("the notification hub did not answer") from error

    async def _authorization(self) -> str:
        if self._credential is not None:
            return f"Bearer {(await self._credential.get_token(_SCOPE)).token}"
        token, ends_at = self._token
        now = time.time()
        if now > ends_at - _RENEWED_S:
            ends_at = now + _TOKEN_S
            token = sas_token(self._url, *self._key, ends_at=int(ends_at))
            self._token = token, ends_at
        return token


def sas_token(url: str, key_name: str, key: str, *, ends_at: int) -> str:
    """Return a shared access signature for *url* that holds until *ends_at* (epoch seconds).

    Source: "Shared Access Signature authentication with Service Bus" of the Azure documentation.
    """
    resource = quote(url.lower(), safe="")
    digest = hmac.new(key.encode(), f"{resource}\n{ends_at}".encode(), hashlib.sha256).digest()
    signature = quote(base64.b64encode(digest).decode(), safe="")
    return f"SharedAccessSignature sr={resource}&sig={signature}&se={ends_at}&skn={key_name}"


def _refusal(status: int, answered: Mapping[str, str]) -> UnavailableError:
    # 400, 401, 403 and 404 mean that the hub is not set up right, not that this device is gone:
    # tried again, then a dead letter, which somebody sees.
    level = logging.INFO if status >= 500 or status == 429 else logging.ERROR
    logger.log(level, "the notification hub answered %d", status)
    wait = answered.get("Retry-After", "")
    wait_ms = int(wait) * 1000 if wait.isdecimal() and len(wait) < 6 else _NO_WAIT
    return UnavailableError(f"the notification hub answered {status}", retry_after_ms=wait_ms)


def _base(hub: NotificationHub) -> str:
    address = parse(hub.endpoint.connection_string).get("endpoint") or hub.endpoint.address
    scheme, separator, host = address.rstrip("/").partition("://")
    if not separator:
        return f"https://{scheme}"
    return f"{'https' if scheme == 'sb' else scheme}://{host}"
