"""Web Push: encrypted for the device (RFC 8291), signed by us (VAPID, RFC 8292)."""

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, override
from urllib.parse import urlsplit

import aiohttp
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02
from pywebpush import WebPusher

from shared.domain.errors import UnavailableError
from shared.domain.people.notification import Dismissal, Notification
from shared.domain.people.push_endpoint import can_be_posted_to
from shared.domain.people.user import Subscription
from shared.ports import NotificationChannel

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10)
_KEEP_S: Final = 24 * 3600  # how long a push service holds a notification for a sleeping device
_VAPID_S: Final = 12 * 3600
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
# Safari ends a subscription after some pushes that show nothing. Source: WebKit on Web Push.
_NEVER_SILENT: Final = frozenset({"web.push.apple.com"})


class WebPush(NotificationChannel):
    """Fulfils `NotificationChannel` for browsers."""

    def __init__(self, *, private_key: str, subject: str) -> None:
        self._vapid = Vapid02.from_string(private_key)
        self._subject = subject
        self._session: aiohttp.ClientSession | None = None

    @override
    async def deliver(self, subscription: Subscription, notification: Notification) -> bool:
        return await self._send(subscription, _payload(notification), notification.tag, "high")

    @override
    async def clear(self, subscription: Subscription, dismissal: Dismissal) -> bool:
        if urlsplit(subscription.endpoint).hostname in _NEVER_SILENT:
            return True
        return await self._send(subscription, _clear_payload(dismissal), dismissal.tag, "normal")

    async def aclose(self) -> None:
        """End the connections; the next call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _send(
        self, subscription: Subscription, payload: bytes, tag: str, urgency: str
    ) -> bool:
        if not can_be_posted_to(subscription.endpoint):
            return False  # subscribed before endpoints were checked label by label
        keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
        pusher = WebPusher({"endpoint": subscription.endpoint, "keys": keys})
        headers = {"Topic": _topic(tag), "Urgency": urgency}
        status = await self._post(subscription.endpoint, pusher.encode(payload)["body"], headers)
        if status in _GONE:
            return False
        if status >= HTTPStatus.MULTIPLE_CHOICES:
            raise UnavailableError(f"the push service answered {status}")
        return True

    async def _post(self, endpoint: str, body: bytes, own_headers: Mapping[str, str]) -> int:
        headers = {
            **self._signature(endpoint),
            "Content-Encoding": "aes128gcm",
            "TTL": str(_KEEP_S),
            **own_headers,
        }
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        try:
            # A redirect could lead anywhere: a push service has no reason to send one.
            async with self._session.post(
                endpoint, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status
        except (UnicodeError, aiohttp.InvalidURL):
            return HTTPStatus.GONE  # no resolver takes this host: nothing can ever be posted there
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise UnavailableError("the push service did not answer") from error

    def _signature(self, endpoint: str) -> dict[str, str]:
        url = urlsplit(endpoint)
        claims = {
            "sub": self._subject,
            "aud": f"{url.scheme}://{url.netloc}",
            "exp": int(time.time()) + _VAPID_S,
        }
        return dict(self._vapid.sign(claims))


def public_key(private_key: str) -> str:
    """Return the application server key a browser subscribes with: base64url of 65 bytes."""
    vapid = Vapid02.from_string(private_key)
    point = vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def _payload(notification: Notification) -> bytes:
    return json.dumps(
        {
            "conversationId": notification.conversation_id,
            "title": notification.title,
            "body": notification.body,
            "sequence": notification.sequence,
            "tag": notification.tag,
        },
        ensure_ascii=False,
    ).encode()


def _clear_payload(dismissal: Dismissal) -> bytes:
    return json.dumps(
        {
            "clear": True,
            "conversationId": dismissal.conversation_id,
            "upTo": dismissal.up_to,
            "tag": dismissal.tag,
        }
    ).encode()


def _topic(tag: str) -> str:
    # At most 32 characters of the URL-safe alphabet. Source: RFC 8030, section 5.4.
    digest = hashlib.sha256(tag.encode()).digest()
    return base64.urlsafe_b64encode(digest)[:32].decode()
