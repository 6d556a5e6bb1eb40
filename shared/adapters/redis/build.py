"""Opens Redis for the composition root."""

from dataclasses import dataclass
from functools import partial

from shared.adapters.redis.accounts import RedisAccountStates
from shared.adapters.redis.client import RedisClient
from shared.adapters.redis.connect import connect
from shared.adapters.redis.live_state import RedisLiveState
from shared.adapters.redis.users.notification_claims import RedisNotificationClaims
from shared.adapters.redis.users.presence import RedisPresenceStore
from shared.adapters.redis.users.uploads import RedisUploads
from shared.config import Settings


@dataclass(frozen=True, slots=True)
class RedisPorts:
    """The ports that Redis fulfils over one client; the client is what `health` asks."""

    client: RedisClient
    live: RedisLiveState
    presence: RedisPresenceStore
    accounts: RedisAccountStates
    claims: RedisNotificationClaims
    uploads: RedisUploads

    async def aclose(self) -> None:
        """End the connections to Redis."""
        await self.client.aclose()


def open_redis(settings: Settings) -> RedisPorts:
    """Return the ports over the Redis that *settings* name; nothing is sent yet."""
    client, lease_s = RedisClient(partial(connect, settings)), settings.timing.presence_lease_s
    return RedisPorts(
        client,
        live=RedisLiveState(client, lease_s=lease_s),
        presence=RedisPresenceStore(client, lease_s=lease_s),
        accounts=RedisAccountStates(client),
        claims=RedisNotificationClaims(client),
        uploads=RedisUploads(client),
    )
