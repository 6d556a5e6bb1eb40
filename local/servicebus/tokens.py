"""Who may use which entity: shared access signatures, put through claims-based security.

Source: "Service Bus access control with shared access signatures" in the Azure Service Bus
documentation; OASIS "AMQP claims-based security" working draft.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote_plus

from local.servicebus.broker import entity_path
from local.servicebus.requests import Reply, Request

KEY_NAME = "RootManageSharedAccessKey"
_PREFIX = "SharedAccessSignature "


class InvalidTokenError(ValueError):
    """The token proves nothing; the sentence says why."""


class Grant(NamedTuple):
    """Leave to use *path* and all below it (the empty path: everything)."""

    path: str
    expires_at_s: int


def verify(token: str, key: str, now_s: float) -> Grant:
    """Return what *token* grants.

    Raises:
        InvalidTokenError: It is malformed, expired, or not signed with *key*.

    """
    if not token.startswith(_PREFIX):
        raise InvalidTokenError("only shared access signatures are taken here")
    fields = dict(part.partition("=")[::2] for part in token.removeprefix(_PREFIX).split("&"))
    if missing := {"sr", "sig", "se", "skn"} - fields.keys():
        sentence = f"the token lacks {', '.join(sorted(missing))}"
        raise InvalidTokenError(sentence)
    if unquote_plus(fields["skn"]) != KEY_NAME:
        raise InvalidTokenError("the key name is unknown")
    signed = f"{fields['sr']}\n{fields['se']}".encode()
    digest = hmac.new(key.encode(), signed, hashlib.sha256).digest()
    expected = base64.b64encode(digest)
    if not hmac.compare_digest(expected, unquote_plus(fields["sig"]).encode()):
        raise InvalidTokenError("the signature is wrong")
    if not fields["se"].isdecimal() or int(fields["se"]) <= now_s:
        raise InvalidTokenError("the token is expired")
    return Grant(entity_path(unquote_plus(fields["sr"])), int(fields["se"]))


class Authorization:
    """What one connection may use.

    Args:
        key: The namespace's shared access key.
        granted: Told the time (Unix seconds) at which a new grant will end.

    """

    def __init__(self, key: str, granted: Callable[[int], None]) -> None:
        self._key = key
        self._granted = granted
        self._expiries: dict[str, int] = {}

    def put_token(self, request: Request, now_s: float) -> Reply:
        """Answer a `put-token` request: 202, or 401 with the reason.

        No error condition is named: the Python SDK would show it instead of status and reason.
        """
        token = request.value
        if request.operation != "put-token" or not isinstance(token, str):
            return Reply(400, "$cbs takes put-token with a token as its value")
        try:
            grant = verify(token, self._key, now_s)
        except InvalidTokenError as error:
            return Reply(401, f"InvalidSignature: {error}")
        audience = entity_path(str(request.properties.get("name", "")))
        if not _covers(grant.path, audience):
            return Reply(401, "InvalidAudience")
        self._expiries[audience] = grant.expires_at_s
        self._granted(grant.expires_at_s)
        return Reply(202, "Accepted")

    def allows(self, path: str, now_s: float) -> bool:
        return any(
            expiry > now_s and _covers(audience, path)
            for audience, expiry in self._expiries.items()
        )


def _covers(granted: str, path: str) -> bool:
    return not granted or path == granted or path.startswith(granted + "/")
