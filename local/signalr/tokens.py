"""The service's tokens: JSON Web Tokens signed with the access key by HS256. No I/O.

Written out here because the usual library loads a cryptography package many times its size.
"""

import base64
import hmac
import json
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

_NOT_BEFORE_LEEWAY_S = 5
_USER_CLAIMS = (
    "asrs.s.uid",
    "nameid",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
    "sub",
)


class TokenError(Exception):
    """The token does not prove what it should; the call is answered with 401."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a client is.

    Args:
        user_id: None for an anonymous client.
        claims: `name: value` pairs as the upstream header carries them.

    """

    user_id: str | None
    claims: str = field(compare=False)


def sign(claims: dict[str, object], key: str) -> str:
    """Return a token that carries *claims*."""
    head = _encode(b'{"alg":"HS256","typ":"JWT"}')
    body = _encode(json.dumps(claims, separators=(",", ":")).encode())
    return f"{head}.{body}.{_encode(_digest(f'{head}.{body}', key))}"


def verify(token: str, key: str, now: float | None = None) -> dict[str, object]:
    """Return the claims of *token*.

    Raises:
        TokenError: It is malformed, not HS256 under *key*, expired, without expiry, or not
            yet valid.

    """
    signed, _, signature = token.rpartition(".")
    head, _, body = signed.partition(".")
    try:
        genuine = hmac.compare_digest(_decode(signature), _digest(signed, key))
        header, claims = json.loads(_decode(head)), json.loads(_decode(body))
    except (ValueError, RecursionError) as error:
        raise TokenError("the token is malformed") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise TokenError("the token is malformed")
    if not genuine or header.get("alg") != "HS256":
        raise TokenError("the token's signature is not valid")
    _check_times(claims, time.time() if now is None else now)
    return claims


def check_audience(claims: dict[str, object], hub: str) -> None:
    """Check that the token was made for clients of *hub*.

    Only path and hub are compared: the host differs behind a gateway, and the signature is
    what proves the issuer.

    Raises:
        TokenError: It was made for something else.

    """
    audience = claims.get("aud")
    for candidate in audience if isinstance(audience, list) else [audience]:
        if isinstance(candidate, str) and _is_client_of(candidate, hub):
            return
    raise TokenError("the token's audience is not this hub")


def check_rest_audience(claims: dict[str, object], path: str) -> None:
    """Check that the token was made for a call of *path*; its query may be in it or not.

    Raises:
        TokenError: It was made for something else.

    """
    audience = claims.get("aud")
    try:
        made_for = urlsplit(audience if isinstance(audience, str) else "").path
    except ValueError:
        made_for = ""
    if unquote(made_for).rstrip("/") != unquote(path).rstrip("/"):
        raise TokenError("the token's audience is not the URL of this call")


def identify(claims: dict[str, object]) -> Identity:
    """Return the identity that *claims* state.

    Raises:
        TokenError: The user id cannot be carried in a header.

    """
    user_id = next((str(claims[name]) for name in _USER_CLAIMS if claims.get(name)), None)
    if user_id is not None and not is_header_safe(user_id):
        raise TokenError("the user id is not printable ASCII")
    return Identity(user_id, _claims_header(claims))


def is_header_safe(text: str) -> bool:
    """Tell whether *text* can stand in an HTTP header as it is."""
    return text.isascii() and text.isprintable()


def _claims_header(claims: dict[str, object]) -> str:
    pairs = [
        f"{name}: {value}"
        for name, values in claims.items()
        for value in (values if isinstance(values, list) else [values])
        if isinstance(value, str | int | float)
    ]
    return ", ".join(pair for pair in pairs if is_header_safe(pair))


def _is_client_of(audience: str, hub: str) -> bool:
    try:
        url = urlsplit(audience)
    except ValueError:
        return False
    hubs = parse_qs(url.query).get("hub", [])
    return url.path.endswith("/client/") and [name.lower() for name in hubs] == [hub]


def _check_times(claims: dict[str, object], now: float) -> None:
    expires, starts = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, int | float) or not isinstance(starts, int | float):
        raise TokenError("the token has no valid lifetime")
    if now >= expires:
        raise TokenError("the token has expired")
    if now + _NOT_BEFORE_LEEWAY_S < starts:
        raise TokenError("the token is not valid yet")


def _digest(text: str, key: str) -> bytes:
    return hmac.digest(key.encode(), text.encode("utf-8", "replace"), "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
