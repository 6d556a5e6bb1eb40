"""Push subscriptions as clients send them, checked: no arbitrary URL, no wrong key or handle."""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Final

from shared.domain.errors import InvalidError
from shared.domain.people.push_endpoint import is_served_by
from shared.domain.people.user import MAX_URL_CHARACTERS, Platform, Subscription
from triggers import decode
from triggers.decode import Fields

_ID: Final = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_SERVICE_NAMES: Final[dict[Platform, str]] = {"apns": "APNs", "fcmv1": "FCM"}
_HANDLES: Final[dict[Platform, re.Pattern[str]]] = {
    "apns": re.compile(r"[0-9a-fA-F]{64,200}"),
    "fcmv1": re.compile(r"[A-Za-z0-9:_-]{20,1024}"),
}
_POINT_BYTES: Final = 65  # an uncompressed P-256 point; RFC 8291
_SECRET_BYTES: Final = 16


def identifier(value: object) -> str:
    """Return *value* as the id a client gave to one of its devices.

    Raises:
        InvalidError: Not 1-128 URL-safe characters.
    """
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise InvalidError("id: must be 1-128 characters of A-Z a-z 0-9 . _ ~ -")
    return value


def parse(
    value: object, fields: Fields, hosts: Iterable[str], *, apps: bool = False
) -> Subscription:
    """Return the subscription *fields* describe: a browser's, or an app's {platform, handle}.

    Args:
        hosts: Push services: `host`, `*.domain`, or `http://host:port` for a local one.
        apps: A notification hub is set up, so apps can be notified.

    Raises:
        InvalidError: A key or handle is not valid, the endpoint is not at a known push service, or
            apps cannot be notified.
    """
    chosen = fields.get("platform", "webpush")
    for platform, handles in _HANDLES.items():
        if chosen == platform:
            return _app(value, fields, platform, handles, possible=apps)
    if chosen != "webpush":
        raise InvalidError("platform: must be webpush, apns or fcmv1")
    endpoint = decode.text(fields, "endpoint", longest=MAX_URL_CHARACTERS)
    if not any(is_served_by(endpoint, host) for host in hosts):
        raise InvalidError("endpoint: must be at a known push service")
    keys = decode.as_object(fields.get("keys"), field="keys")
    p256dh = _key(keys, "p256dh", _POINT_BYTES)
    auth = _key(keys, "auth", _SECRET_BYTES)
    return Subscription(identifier(value), endpoint, p256dh, auth)


def _app(
    value: object, fields: Fields, platform: Platform, handles: re.Pattern[str], *, possible: bool
) -> Subscription:
    handle = fields.get("handle")
    if not isinstance(handle, str) or not handles.fullmatch(handle):
        raise InvalidError(f"handle: not a valid {_SERVICE_NAMES[platform]} device token")
    if not possible:
        raise InvalidError(
            "platform: apps cannot be notified, because no notification hub is set up"
        )
    return Subscription(identifier(value), handle, platform=platform)


def _key(keys: Fields, name: str, length: int) -> str:
    text = decode.text(keys, name, longest=128)
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise InvalidError(f"keys.{name}: must be base64url") from error
    if len(raw) != length:
        raise InvalidError(f"keys.{name}: must have {length} bytes")
    if length == _POINT_BYTES and not _is_point(raw):
        raise InvalidError(f"keys.{name}: must be an uncompressed point of P-256")
    return text


def _is_point(raw: bytes) -> bool:
    # Checked here, once, because an invalid point would fail every notification later.
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  # not while indexing

    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError:
        return False
    return True
