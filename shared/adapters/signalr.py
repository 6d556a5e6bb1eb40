"""A sign of life from SignalR Service. Sends go through the output binding, not through here."""

import aiohttp

from shared.config import Endpoint
from shared.domain.errors import UnavailableError

_TIMEOUT = aiohttp.ClientTimeout(total=5)


class SignalRHealth:
    """Asks the service's health endpoint, which needs no key."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._url = f"{_base(endpoint)}/api/health"

    async def check(self) -> None:
        """Ask for a sign of life.

        Raises:
            UnavailableError: None came.
        """
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.get(self._url) as answer,
            ):
                answer.raise_for_status()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnavailableError("SignalR Service does not answer") from error


def _base(endpoint: Endpoint) -> str:
    if not endpoint.connection_string:
        return endpoint.address.rstrip("/")
    pairs = (part.partition("=") for part in endpoint.connection_string.split(";"))
    parts = {name.strip().lower(): value for name, _, value in pairs}
    port = f":{parts['port']}" if parts.get("port") else ""
    return parts["endpoint"].rstrip("/") + port
