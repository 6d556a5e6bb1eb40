"""A sign of life from SignalR Service, and how its address is read from the settings."""

import aiohttp

from shared.adapters.connection_string import parse
from shared.config import Endpoint
from shared.domain.errors import UnavailableError

_TIMEOUT = aiohttp.ClientTimeout(total=5)


class SignalRHealth:
    """Asks the service's health endpoint, which needs no key."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._url = f"{base_url(endpoint)}/api/health"

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


def base_url(endpoint: Endpoint) -> str:
    """Return the service's address, without a slash at its end."""
    if not endpoint.connection_string:
        return endpoint.address.rstrip("/")
    parts = parse(endpoint.connection_string)
    port = f":{parts['port']}" if parts.get("port") else ""
    return parts["endpoint"].rstrip("/") + port
