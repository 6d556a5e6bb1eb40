"""Which room of adapters fulfils which port: one client for each service behind the chat."""

from contextlib import AsyncExitStack
from typing import Protocol

from shared.adapters.blob.build import open_blob
from shared.adapters.cosmos.build import open_cosmos
from shared.adapters.identity.build import open_identity
from shared.adapters.push.build import open_push
from shared.adapters.redis.build import open_redis
from shared.adapters.service_bus.build import open_service_bus
from shared.adapters.signalr.build import open_signalr
from shared.adapters.system import RandomIds, SystemClock
from shared.config import Settings
from shared.ports import Ports


class _Client(Protocol):
    async def aclose(self) -> None: ...


class Clients:
    """One client for each service that *settings* name; none connects before its first call."""

    def __init__(self, settings: Settings) -> None:
        self._opened = AsyncExitStack()
        self._clock = SystemClock()
        self._identity = self._keep(open_identity(settings))
        credential = self._identity.credential
        self._cosmos = self._keep(open_cosmos(settings, credential))
        self._redis = self._keep(open_redis(settings))
        self._blob = self._keep(open_blob(settings, credential, self._clock))
        self._bus = self._keep(open_service_bus(settings, credential))
        self._signalr = self._keep(open_signalr(settings, credential))
        self._push = self._keep(open_push(settings, credential))

    async def aclose(self) -> None:
        """End the clients, the newest first; all of them, also where one fails to end.

        The identity was made first, because every client may ask it for a token until the client
        itself has ended. So it ends last.

        Raises:
            Exception: What a client raised, after all have been ended.
        """
        await self._opened.aclose()

    def ports(self) -> Ports:
        """Return the ports that these clients fulfil."""
        return Ports(
            messages=self._cosmos.messages,
            conversations=self._cosmos.conversations,
            memberships=self._cosmos.memberships,
            users=self._cosmos.users,
            live=self._redis.live,
            presence=self._redis.presence,
            accounts=self._redis.accounts,
            claims=self._redis.claims,
            uploads=self._redis.uploads,
            hub=self._signalr.connections,
            bus=self._bus,
            channel=self._push.channel,
            blobs=self._blob.files,
            images=self._blob.images,
            verifier=self._identity.verifier,
            clock=self._clock,
            ids=RandomIds(),
            probes={
                "cosmos": self._cosmos.probe,
                "redis": self._redis.client,
                "signalr": self._signalr.probe,
                "serviceBus": self._bus.probe,
                "blob": self._blob.files,
            },
            push_public_key=self._push.public_key,
        )

    def _keep[C: _Client](self, client: C) -> C:
        self._opened.push_async_callback(client.aclose)
        return client
