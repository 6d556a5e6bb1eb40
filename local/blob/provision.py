"""Make the containers and the CORS rule that Bicep makes in Azure.

Spoken over REST with a shared key: the SDK would cost the supervisor 30 MB for two calls.
Source: learn.microsoft.com, "Authorize with Shared Key", version 2015-02-21 and later.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape

import aiohttp

from local.blob.command import ACCOUNT

_VERSION = "2023-11-03"


@dataclass(frozen=True, slots=True)
class Account:
    """The storage account as Azurite serves it on 127.0.0.1:*port*, under *key*."""

    port: int
    key: str


async def provision(
    session: aiohttp.ClientSession,
    account: Account,
    containers: Sequence[str],
    origins: Sequence[str],
) -> None:
    """Make *containers* where they are missing, and let pages from *origins* upload and read.

    Repeating it changes nothing.

    Raises:
        aiohttp.ClientError: Azurite does not listen, or refuses.

    """
    cors = _cors_document(origins)
    await _put(session, account, "", {"comp": "properties", "restype": "service"}, cors)
    for name in containers:
        await _put(session, account, f"/{name}", {"restype": "container"}, b"")


async def _put(
    session: aiohttp.ClientSession, account: Account, path: str, query: dict[str, str], body: bytes
) -> None:
    headers = {
        "x-ms-date": format_datetime(datetime.now(UTC), usegmt=True),
        "x-ms-version": _VERSION,
        **({"Content-Type": "application/xml", "Content-Length": str(len(body))} if body else {}),
    }
    headers["Authorization"] = _shared_key(account.key, path, query, headers)
    url = f"http://127.0.0.1:{account.port}/{ACCOUNT}{path}"
    async with session.put(
        url, params=query, headers=headers, data=body, skip_auto_headers=("Content-Type",)
    ) as reply:
        if reply.status != 409:  # the container exists
            reply.raise_for_status()


def _shared_key(key: str, path: str, query: dict[str, str], headers: dict[str, str]) -> str:
    length, content_type = headers.get("Content-Length", ""), headers.get("Content-Type", "")
    standard = ["PUT", "", "", length, "", content_type, "", "", "", "", "", ""]
    own = [f"{name}:{headers[name]}" for name in sorted(headers) if name.startswith("x-ms-")]
    # The account stands twice when it is part of the path, as with Azurite.
    resource = [f"/{ACCOUNT}/{ACCOUNT}{path}", *(f"{name}:{query[name]}" for name in sorted(query))]
    text = "\n".join([*standard, *own, *resource])
    digest = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    return f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"


def _cors_document(origins: Sequence[str]) -> bytes:
    rule = "".join(
        (
            f"<AllowedOrigins>{escape(','.join(origins))}</AllowedOrigins>",
            "<AllowedMethods>GET,HEAD,PUT,OPTIONS</AllowedMethods>",
            "<AllowedHeaders>*</AllowedHeaders>",
            "<ExposedHeaders>*</ExposedHeaders>",
            "<MaxAgeInSeconds>3600</MaxAgeInSeconds>",
        )
    )
    document = f"<StorageServiceProperties><Cors><CorsRule>{rule}</CorsRule></Cors>"
    return f'<?xml version="1.0" encoding="utf-8"?>{document}</StorageServiceProperties>'.encode()
