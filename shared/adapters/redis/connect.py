"""How Redis is reached: by URL locally, by managed identity in Azure."""

from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from shared.adapters.redis.client import CONNECTIONS
from shared.config import Settings

_PORT: Final = 10_000  # Azure Managed Redis; reference: docs/operations.md#settings
_SCOPE: Final = ("https://redis.azure.com/.default",)
_OPTIONS: Final[dict[str, Any]] = {
    "protocol": 2,
    "max_connections": CONNECTIONS,  # `RedisClient` hands out no more
    "socket_timeout": 2.0,
    "socket_connect_timeout": 2.0,
    "health_check_interval": 0,
}


def connect(settings: Settings) -> Redis:
    """Return a client with its own connection pool; nothing is sent yet."""
    # One immediate retry on a fresh connection: pooled ones go stale when Redis restarts.
    retry = Retry(NoBackoff(), 1)
    if settings.redis_url:
        return Redis.from_url(settings.redis_url, retry=retry, **_OPTIONS)
    return Redis(
        host=settings.redis_host,
        port=_PORT,
        ssl=True,
        retry=retry,
        credential_provider=_credential_provider(settings.identity_client_id),
        **_OPTIONS,
    )


def _credential_provider(client_id: str) -> Any:  # noqa: ANN401  # the package ships no types
    from redis_entraid.cred_provider import (  # noqa: PLC0415  # only where there is no URL
        create_from_managed_identity,
    )
    from redis_entraid.identity_provider import (  # noqa: PLC0415
        ManagedIdentityIdType,
        ManagedIdentityType,
    )

    if not client_id:
        return create_from_managed_identity(ManagedIdentityType.SYSTEM_ASSIGNED, _SCOPE[0])
    return create_from_managed_identity(
        ManagedIdentityType.USER_ASSIGNED,
        _SCOPE[0],
        id_type=ManagedIdentityIdType.CLIENT_ID,
        id_value=client_id,
    )
