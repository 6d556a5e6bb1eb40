"""The master-key signature every call carries.

Source: learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources.
"""

import base64
import hmac
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import unquote

from local.cosmos.protocol import RefusalError

_PREFIX = "type=master&ver=1.0&sig="


class MasterKey:
    """Checks signatures made with the account's key."""

    def __init__(self, key: str) -> None:
        self._key = base64.b64decode(key)

    def check(self, method: str, path: tuple[str, ...], headers: Mapping[str, str]) -> None:
        """Pass silently when the call is signed with this key.

        Raises:
            RefusalError: 401; the signature is missing, of another kind, or wrong.

        """
        header = unquote(headers.get("Authorization", ""))
        if not header.startswith(_PREFIX):
            raise _unauthorized("Only master-key tokens (type=master&ver=1.0) are accepted here.")
        kind, link = signed_resource(path)
        date = headers.get("x-ms-date", "").lower()
        signed = f"{method.lower()}\n{kind}\n{link}\n{date}\n\n".encode()
        expected = base64.b64encode(hmac.digest(self._key, signed, "sha256")).decode()
        if not hmac.compare_digest(header[len(_PREFIX) :].encode(), expected.encode()):
            raise _unauthorized(
                "The input authorization token can't serve the request. Please check that the "
                "expected payload is built as per the protocol, and check the key being used."
            )


def signed_resource(path: tuple[str, ...]) -> tuple[str, str]:
    """Return the resource type and the link that are signed for *path*.

    A path of even length names a resource and is signed whole; one of odd length names a feed
    and is signed by its owner.
    """
    if not path:
        return "", ""
    if len(path) % 2:
        return path[-1], "/".join(path[:-1])
    return path[-2], "/".join(path)


def _unauthorized(message: str) -> RefusalError:
    return RefusalError(HTTPStatus.UNAUTHORIZED, message)
