"""The push service of one browser vendor, small: takes, checks, decrypts and keeps notifications.

It holds the subscriptions' private keys too, which a real push service never does: here the site
plays the browser as well.
"""

import base64
import json
import secrets
import time
from typing import cast

import http_ece
import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from local.common.vapid import base64url
from local.site.fields import read_object, user_id
from local.site.problems import InvalidError, ProblemError
from local.site.storage import Storage, Subscription

# Source: RFC 8030 §7.2, the least a push service must take, and all that real ones do.
_LIMIT_BYTES = 4096
_SHOWN = ("conversationId", "title", "body")
# Source: RFC 8292 §2.
_LONGEST_TOKEN_S = 24 * 3600


class PushService:
    """Subscriptions at *origin*, for an application server with the key *server_key*."""

    def __init__(self, storage: Storage, origin: str, server_key: str) -> None:
        self._storage = storage
        self._origin = origin
        self._server_key = server_key

    def routes(self) -> list[web.RouteDef]:
        """Return the calls that concern push."""
        return [
            web.post("/dev/push-subscription", self._subscribe),
            web.delete("/dev/push-subscription/{id}", self._expire),
            web.post("/dev/push/{id}", self._receive),
            web.get("/dev/notifications", self._list),
        ]

    async def _subscribe(self, request: web.Request) -> web.Response:
        fields = await read_object(request)
        key = ec.generate_private_key(ec.SECP256R1())
        made = Subscription(
            id=secrets.token_urlsafe(24),
            user_id=user_id(fields.get("userId")),
            private_key=key.private_numbers().private_value.to_bytes(32, "big"),
            auth=secrets.token_bytes(16),
            server_key=_server_key(fields.get("applicationServerKey"), self._server_key),
        )
        self._storage.put_subscription(made)
        keys = {"p256dh": base64url(public_bytes(key)), "auth": base64url(made.auth)}
        return web.json_response({"endpoint": f"{self._origin}/dev/push/{made.id}", "keys": keys})

    async def _expire(self, request: web.Request) -> web.Response:
        if not self._storage.expire_subscription(request.match_info["id"]):
            raise ProblemError(404, "there is no such subscription")
        return web.Response(status=204)

    async def _receive(self, request: web.Request) -> web.Response:
        subscription = self._find(request.match_info["id"])
        self._authorize(request.headers.get("Authorization", ""), subscription)
        if not request.headers.get("TTL", "").isdecimal():
            raise ProblemError(400, "TTL: must be a number of seconds (RFC 8030, 5.2)")
        if request.headers.get("Content-Encoding") != "aes128gcm":
            raise ProblemError(415, "Content-Encoding must be aes128gcm", code="unsupported_type")
        document = _decrypt(await _read(request), subscription)
        names = ("clear", "conversationId", "upTo") if document.get("clear") else _SHOWN
        notice = {name: document.get(name) for name in names}
        notice = {**notice, "at": time.time_ns() // 1_000_000}
        self._storage.add_notification(subscription.user_id, notice)
        location = f"{self._origin}/dev/notifications?userId={subscription.user_id}"
        return web.Response(status=201, headers={"Location": location})

    async def _list(self, request: web.Request) -> web.Response:
        subscriber = user_id(request.query.get("userId"))
        clears = request.query.get("cleared") == "true"
        came = self._storage.list_notifications(subscriber)
        return web.json_response({"items": [push for push in came if ("clear" in push) == clears]})

    def _find(self, subscription_id: str) -> Subscription:
        subscription = self._storage.find_subscription(subscription_id)
        if subscription is None:
            raise ProblemError(404, "there is no such subscription")
        if subscription.expired:
            raise ProblemError(410, "the subscription has expired", code="not_found")
        return subscription

    def _authorize(self, header: str, subscription: Subscription) -> None:
        scheme, _, rest = header.partition(" ")
        parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        if scheme.lower() != "vapid" or not {"t", "k"} <= parts.keys():
            raise ProblemError(401, "Authorization must be `vapid t=..., k=...`", code="forbidden")
        if parts["k"].rstrip("=") != subscription.server_key:
            raise ProblemError(403, "the key is not the one the subscription was made for")
        try:
            claims = jwt.decode(
                parts["t"],
                _public_key(parts["k"]),
                algorithms=["ES256"],
                audience=self._origin,
                options={"require": ["exp", "aud"]},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise ProblemError(403, f"the token does not hold: {error}") from error
        if claims["exp"] - time.time() > _LONGEST_TOKEN_S + 60:
            raise ProblemError(403, "the token holds for longer than a day")


def public_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public point of *key*, uncompressed, 65 bytes."""
    return key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def server_key_of(private_key: str) -> str:
    """Return the public key, base64url, that belongs to a VAPID *private_key*."""
    return base64url(public_bytes(_private_key(_from_base64url(private_key))))


async def _read(request: web.Request) -> bytes:
    body = b""
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > _LIMIT_BYTES:
            raise ProblemError(413, f"a push carries at most {_LIMIT_BYTES} bytes")
    return body


def _decrypt(body: bytes, subscription: Subscription) -> dict[str, object]:
    try:
        plain = http_ece.decrypt(
            body,
            private_key=_private_key(subscription.private_key),
            auth_secret=subscription.auth,
            version="aes128gcm",
        )
    except (http_ece.ECEException, ValueError) as error:
        raise InvalidError("body", "cannot be decrypted for this subscription") from error
    try:
        document = json.loads(plain)
    except ValueError as error:
        raise InvalidError("body", "holds no JSON") from error
    if not isinstance(document, dict):
        raise InvalidError("body", "holds no JSON object")
    return cast("dict[str, object]", document)


def _server_key(key: object, default: str) -> str:
    if key is None:
        return default
    try:
        _public_key(str(key))
    except ValueError as error:
        raise InvalidError("applicationServerKey", "must be a P-256 point, base64url") from error
    return str(key).rstrip("=")


def _public_key(text: str) -> ec.EllipticCurvePublicKey:
    point = _from_base64url(text)
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)


def _private_key(number: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(number), ec.SECP256R1())


def _from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
