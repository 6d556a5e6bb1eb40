"""A sign of life from SignalR Service, and how its address is read from the settings."""

import aiohttp

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
    parts = pairs_of(endpoint.connection_string)
    port = f":{parts['port']}" if parts.get("port") else ""
    return parts["endpoint"].rstrip("/") + port


def pairs_of(connection_string: str) -> dict[str, str]:
    """Return the parts of a connection string by their names in lower case."""
    parts = (part.partition("=") for part in connection_string.split(";"))
    return {name.strip().lower(): value for name, _, value in parts}
