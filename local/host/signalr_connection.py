"""SignalR Service as seen from the host: its connection string and the tokens it accepts."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Self

from local.host.appsettings import parse_connection_string
from local.host.errors import StartError

TOKEN_SECONDS = 3600
_HEADER = b'{"alg":"HS256","typ":"JWT"}'


@dataclass(frozen=True, slots=True)
class SignalRConnection:
    """A parsed connection string; every address ends with a slash.

    `endpoint` is what tokens are issued for, also where clients or the server reach the service
    at another address.
    """

    endpoint: str
    client_endpoint: str
    server_endpoint: str
    access_key: bytes

    @classmethod
    def parse(cls, text: str, setting: str) -> Self:
        """Parse the value of *setting*.

        Raises:
            StartError: It lacks an endpoint or an access key.

        """
        parts = parse_connection_string(text)
        endpoint, key = parts.get("endpoint", "").rstrip("/"), parts.get("accesskey")
        if not endpoint.startswith(("http://", "https://")) or not key:
            raise StartError(f"{setting} needs Endpoint=http(s)://...;AccessKey=...")
        if parts.get("port"):
            endpoint = f"{endpoint}:{parts['port']}"
        return cls(
            endpoint=f"{endpoint}/",
            client_endpoint=f"{parts.get('clientendpoint', endpoint).rstrip('/')}/",
            server_endpoint=f"{parts.get('serverendpoint', endpoint).rstrip('/')}/",
            access_key=key.encode(),
        )

    def sign(self, claims: dict[str, object], audience: str) -> str:
        """Return a token for *audience* that is valid for an hour.

        By hand, since the JWT library would load a whole cryptography stack for one HMAC.
        """
        now = int(time.time())
        payload = {**claims, "nbf": now, "exp": now + TOKEN_SECONDS, "iat": now, "aud": audience}
        text = json.dumps(payload, separators=(",", ":")).encode()
        signed = b".".join((_base64url(_HEADER), _base64url(text)))
        digest = hmac.digest(self.access_key, signed, hashlib.sha256)
        return b".".join((signed, _base64url(digest))).decode()

    def signature(self, connection_id: str) -> str:
        """Return what `X-ASRS-Signature` of an upstream call holds for this key."""
        digest = hmac.digest(self.access_key, connection_id.encode(), hashlib.sha256)
        return f"sha256={digest.hex()}"


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
