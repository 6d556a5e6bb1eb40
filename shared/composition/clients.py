"""Which adapter fulfils which port: one client for each service behind the chat."""

from contextlib import AsyncExitStack
from functools import partial
from typing import Final, Protocol

from shared.adapters.blob.files import BlobFiles
from shared.adapters.blob.images import PillowImages
from shared.adapters.cosmos.client import CosmosDatabase
from shared.adapters.cosmos.conversations import CosmosConversationStore
from shared.adapters.cosmos.memberships import CosmosMembershipStore
from shared.adapters.cosmos.messages import CosmosMessageStore
from shared.adapters.cosmos.users import CosmosUserStore
from shared.adapters.identity.app_identity import AppIdentity
from shared.adapters.identity.jwks import JwksTokenVerifier
from shared.adapters.push.channels import Channels
from shared.adapters.push.notification_hubs import NotificationHubs
from shared.adapters.push.web_push import WebPush, public_key
from shared.adapters.redis.accounts import RedisAccountStates
from shared.adapters.redis.client import RedisClient
from shared.adapters.redis.connect import connect
from shared.adapters.redis.live_state import RedisLiveState
from shared.adapters.redis.users.notification_marks import RedisNoticeMarks
from shared.adapters.redis.users.presence import RedisPresenceStore
from shared.adapters.redis.users.uploads import RedisUploads
from shared.adapters.service_bus.queue import ServiceBusQueue
from shared.adapters.signalr.connections import SignalRConnections
from shared.adapters.signalr.health import SignalRHealth
from shared.adapters.system import RandomIds, SystemClock
from shared.config import Settings
from shared.domain.ids import ConversationId
from shared.ports import ConversationStore, Ports

HUB: Final = "chat"


class _Client(Protocol):
    async def aclose(self) -> None: ...


class Clients:
    """One client for each service that *settings* name; none connects before its first call."""

    def __init__(self, settings: Settings) -> None:
        self._opened = AsyncExitStack()
        identity = self._keep(AppIdentity(settings.identity_client_id))
        self._settings = settings
        self._clock = SystemClock()
        self._database = self._keep(
            CosmosDatabase(settings.cosmos, settings.cosmos_database, identity)
        )
        self._redis = self._keep(RedisClient(partial(connect, settings)))
        self._blobs = self._keep(BlobFiles(settings.blob, identity, self._clock))
        self._bus = self._keep(ServiceBusQueue(settings.service_bus, identity))
        self._hub = self._keep(SignalRConnections(settings.signalr, HUB, identity))
        self._verifier = self._keep(JwksTokenVerifier(settings.auth))
        self._images = self._keep(PillowImages())
        self._channel = self._channels(identity)

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
        lease_s = self._settings.timing.presence_lease_s
        messages = self._database.container("messages")
        conversations = CosmosConversationStore(self._database.container("conversations"))
        return Ports(
            messages=CosmosMessageStore(messages, bucket_size=self._settings.bucket_size),
            conversations=conversations,
            memberships=CosmosMembershipStore(self._database.container("memberships")),
            users=CosmosUserStore(self._database.container("users")),
            live=RedisLiveState(self._redis, lease_s=lease_s),
            presence=RedisPresenceStore(self._redis, lease_s=lease_s),
            hub=self._hub,
            accounts=RedisAccountStates(self._redis),
            marks=RedisNoticeMarks(self._redis),
            bus=self._bus,
            channel=self._channel,
            blobs=self._blobs,
            uploads=RedisUploads(self._redis),
            images=self._images,
            verifier=self._verifier,
            clock=self._clock,
            ids=RandomIds(),
            probes={
                "cosmos": _StoreProbe(conversations),
                "redis": self._redis,
                "signalr": SignalRHealth(self._settings.signalr),
                "serviceBus": self._bus,
                "blob": self._blobs,
            },
            push_public_key=public_key(self._settings.vapid_private_key),
        )

    def _channels(self, identity: AppIdentity) -> Channels:
        settings = self._settings
        web = self._keep(
            WebPush(private_key=settings.vapid_private_key, subject=settings.vapid_subject)
        )
        if settings.notification_hub is None:
            return Channels({"webpush": web})
        apps = self._keep(NotificationHubs(settings.notification_hub, identity))
        return Channels({"webpush": web, "apns": apps, "fcmv1": apps})

    def _keep[C: _Client](self, client: C) -> C:
        self._opened.push_async_callback(client.aclose)
        return client


class _StoreProbe:
    def __init__(self, store: ConversationStore) -> None:
        self._store = store

    async def check(self) -> None:
        await self._store.find(ConversationId("d-" + "0" * 32))
