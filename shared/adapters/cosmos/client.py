"""One Cosmos DB client per worker, and how its failures are told apart.

Imported on first use only: the SDK costs about 300 ms of a cold start.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import AioHttpTransport
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.config import Endpoint
from shared.domain.errors import UnavailableError

_TIMEOUT_S: Final = 10.0  # one operation with the SDK's own retries
_RULED: Final = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}
)


class CosmosDatabase:
    """Gives containers of one database over one client. It never creates any."""

    def __init__(
        self, endpoint: Endpoint, database: str, credential: Callable[[], AsyncTokenCredential]
    ) -> None:
        # The transport reads neither proxies nor ~/.netrc, which halves the SDK's CPU per call.
        transport = AioHttpTransport(use_env_settings=False)
        if endpoint.connection_string:
            self._client = CosmosClient.from_connection_string(
                endpoint.connection_string, transport=transport
            )
        else:
            self._client = CosmosClient(endpoint.address, credential(), transport=transport)
        self._database = self._client.get_database_client(database)

    def container(self, name: str) -> ContainerProxy:
        return self._database.get_container_client(name)

    async def aclose(self) -> None:
        """End the connections to the database."""
        await self._client.close()


async def answered[T](operation: Awaitable[T]) -> T:
    """Await *operation* within ten seconds.

    Raises:
        CosmosHttpResponseError: 404, 409 or 412, for the caller to rule on.
        UnavailableError: Anything else went wrong; a write may or may not have taken place.
    """
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await operation
    except CosmosHttpResponseError as error:
        if error.status_code in _RULED:
            raise
        raise _unavailable(error) from error
    except (AzureError, OSError, TimeoutError) as error:
        raise UnavailableError("the store did not answer") from error


def status_of(error: CosmosHttpResponseError) -> int:
    return int(error.status_code or 0)


def _unavailable(error: CosmosHttpResponseError) -> UnavailableError:
    wait_ms = (error.headers or {}).get("x-ms-retry-after-ms", "")
    return UnavailableError(
        "the store is busy", retry_after_ms=int(wait_ms) if str(wait_ms).isdecimal() else 1000
    )
