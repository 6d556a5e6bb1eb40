"""Keys that open functions, webhooks and the admin calls.

The master key opens everything. The host key `default` opens functions of level `function`; it
is derived from the master key, so that the local directory holds one secret less.
"""

import hashlib
import hmac
from typing import Literal

from aiohttp import web

from local.common.keys import Keys

Level = Literal["anonymous", "function", "system", "admin"]


class KeyRing:
    """The host's keys, and the check of what a request presents."""

    def __init__(self, keys: Keys) -> None:
        self._master = keys.host_master.encode()
        self._system = keys.signalr_extension.encode()
        self.default = hmac.new(self._master, b"host key default", hashlib.sha256).hexdigest()

    def allows(self, request: web.Request, level: Level) -> bool:
        """Whether *request* may do what needs *level*.

        A key comes in the header `x-functions-key` or the query parameter `code`.
        """
        if level == "anonymous":
            return True
        text = request.headers.get("x-functions-key") or request.query.get("code")
        if not text:
            return False
        presented = text.encode()
        if hmac.compare_digest(presented, self._master):
            return True
        other = {"function": self.default.encode(), "system": self._system, "admin": b""}[level]
        return bool(other) and hmac.compare_digest(presented, other)
