"""Which adapter fulfils which port, and which service gets what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from azure.core.credentials_async import AsyncTokenCredential

from shared.adapters.blob import BlobFiles
from shared.adapters.channels import Channels
from shared.adapters.cosmos_client import CosmosDatabase
from shared.adapters.cosmos_conversations import CosmosConversationStore, CosmosMembershipStore
from shared.adapters.cosmos_messages import CosmosMessageStore
from shared.adapters.cosmos_users import CosmosUserStore
from shared.adapters.identity import credential
from shared.adapters.images import PillowImages
from shared.adapters.jwks import JwksTokenVerifier
from shared.adapters.notification_hubs import NotificationHubs
from shared.adapters.redis_accounts import RedisAccountStates
from shared.adapters.redis_client import RedisClient
from shared.adapters.redis_connect import connect
from shared.adapters.redis_live import RedisLiveState
from shared.adapters.redis_presence import RedisNoticeMarks, RedisPresenceStore
from shared.adapters.redis_uploads import RedisUploads
from shared.adapters.service_bus import ServiceBusQueue
from shared.adapters.signalr import SignalRHealth
from shared.adapters.signalr_hub import SignalRConnections
from shared.adapters.system import RandomIds, SystemClock
from shared.adapters.web_push import WebPush, public_key
from shared.config import Settings
from shared.domain.ids import ConversationId
from shared.ports import (
    AccountStates,
    BlobStore,
    Bus,
    Clock,
    ConnectionHub,
    ConversationStore,
    Ids,
    Images,
    LiveState,
    MembershipStore,
    MessageStore,
    NoticeMarks,
    NotificationChannel,
    PresenceStore,
    Probe,
    TokenVerifier,
    UploadLedger,
    UserStore,
)
from shared.services.accounts import Accounts
from shared.services.attachments import Attachments
from shared.services.clearing import Clearing
from shared.services.connections import ConnectionLimits
from shared.services.conversations import Conversations
from shared.services.entrance import Entrance
from shared.services.erased_users import ErasedUsers
from shared.services.erasure import Erasure
from shared.services.export import Export
from shared.services.files import Files
from shared.services.gate import Gate
from shared.services.group_members import GroupMembers
from shared.services.healing import Healing
from shared.services.health import Health, HealthCheck
from shared.services.history import History
from shared.services.inbox import Inbox
from shared.services.inbox_order import InboxOrder
from shared.services.membership import Membership
from shared.services.message_eraser import MessageEraser
from shared.services.muting import Muting
from shared.services.notifications import Notifications
from shared.services.posting import Posting
from shared.services.presences import Presences
from shared.services.privacy import Trail
from shared.services.reader import ConversationReader
from shared.services.rebuild import Rebuild
from shared.services.receipts import Receipts
from shared.services.sequencer import Sequencer
from shared.services.sync import Sync
from shared.services.throttle import Throttle
from shared.services.turns import Turns
from shared.services.typing import TypingSignals
from shared.services.upload_quota import UploadQuota
from shared.services.upload_sweep import UploadSweep

HUB: Final = "chat"


@dataclass(frozen=True, slots=True)
class Chat:
    """Everything the triggers call."""

    settings: Settings
    verifier: TokenVerifier
    gate: Gate
    push_public_key: str
    posting: Posting
    receipts: Receipts
    presences: Presences
    connections: ConnectionLimits
    typing: TypingSignals
    conversations: Conversations
    membership: Membership
    muting: Muting
    history: History
    sync: Sync
    inbox: Inbox
    attachments: Attachments
    files: Files
    upload_sweep: UploadSweep
    healing: Healing
    accounts: Accounts
    notifications: Notifications
    clearing: Clearing
    rebuild: Rebuild
    bus: Bus
    export: Export
    erasure: Erasure
    eraser: MessageEraser
    probes: Mapping[str, Probe]
    check_health: HealthCheck

    async def health(self) -> Health:
        """Tell whether the services behind the chat answer."""
        return await self.check_health()


@dataclass(frozen=True, slots=True)
class Adapters:
    """One of each port: the real ones, or twins in a test."""

    messages: MessageStore
    conversations: ConversationStore
    memberships: MembershipStore
    users: UserStore
    live: LiveState
    presence: PresenceStore
    hub: ConnectionHub
    accounts: AccountStates
    marks: NoticeMarks
    bus: Bus
    channel: NotificationChannel
    blobs: BlobStore
    uploads: UploadLedger
    images: Images
    verifier: TokenVerifier
    clock: Clock
    ids: Ids
    probes: dict[str, Probe]
    push_public_key: str = ""


def compose(settings: Settings) -> Chat:
    """Build the chat over the real services that *settings* name."""
    return wire_up(settings, real_adapters(settings))


def real_adapters(settings: Settings) -> Adapters:
    """Build one client per service; none connects before its first call."""
    clock, identity = SystemClock(), partial(credential, settings.identity_client_id)
    database = CosmosDatabase(settings.cosmos, settings.cosmos_database, identity)
    redis = RedisClient(partial(connect, settings))
    bus = ServiceBusQueue(settings.service_bus, identity)
    blobs = BlobFiles(settings.blob, identity, clock)
    lease_s = settings.timing.presence_lease_s
    conversations = CosmosConversationStore(database.container("conversations"))
    return Adapters(
        messages=CosmosMessageStore(
            database.container("messages"), bucket_size=settings.bucket_size
        ),
        conversations=conversations,
        memberships=CosmosMembershipStore(database.container("memberships")),
        users=CosmosUserStore(database.container("users")),
        live=RedisLiveState(redis, lease_s=lease_s),
        presence=RedisPresenceStore(redis, lease_s=lease_s),
        hub=SignalRConnections(settings.signalr, HUB, identity),
        accounts=RedisAccountStates(redis),
        marks=RedisNoticeMarks(redis),
        bus=bus,
        channel=_channels(settings, identity),
        blobs=blobs,
        uploads=RedisUploads(redis),
        images=PillowImages(),
        verifier=JwksTokenVerifier(settings.auth),
        clock=clock,
        ids=RandomIds(),
        probes={
            "cosmos": _StoreProbe(conversations),
            "redis": redis,
            "signalr": SignalRHealth(settings.signalr),
            "serviceBus": bus,
            "blob": blobs,
        },
        push_public_key=public_key(settings.vapid_private_key),
    )


def _channels(settings: Settings, identity: Callable[[], AsyncTokenCredential]) -> Channels:
    web = WebPush(private_key=settings.vapid_private_key, subject=settings.vapid_subject)
    if settings.notification_hub is None:
        return Channels({"webpush": web})
    apps = NotificationHubs(settings.notification_hub, identity)
    return Channels({"webpush": web, "apns": apps, "fcmv1": apps})


def wire_up(settings: Settings, of: Adapters) -> Chat:
    """Connect the services to *of*."""
    throttle = Throttle(lambda: of.clock.now().timestamp())
    erased = ErasedUsers(of.users, of.accounts)
    gate = Gate(of.live, of.presence, of.clock, throttle, erased)
    reader = ConversationReader(of.conversations, of.messages, of.live)
    eraser = MessageEraser(reader, of.messages, of.live, of.blobs, erased)
    entrance = Entrance(gate, reader, of.live)
    quota = UploadQuota(
        of.live,
        of.uploads,
        bytes_a_day=settings.upload_quota_bytes,
        most_open=settings.open_uploads,
    )
    attachments = Attachments(
        entrance, quota, of.blobs, of.images, of.ids, scanned=settings.attachments_scanned
    )
    sequencer = Sequencer(of.messages, of.clock, bucket_size=settings.bucket_size)
    posting = Posting(
        entrance, reader, sequencer, attachments, of.live, of.clock, of.ids, Turns(), eraser
    )
    order = InboxOrder(reader, of.live, of.memberships, of.messages, Turns())
    inbox = Inbox(gate, reader, of.live, of.memberships, of.messages, of.clock, order)
    groups = GroupMembers(of.hub, of.presence)
    membership = Membership(entrance, inbox, of.live, of.memberships, groups, of.clock)
    conversations = Conversations(
        gate,
        entrance,
        reader,
        of.conversations,
        of.users,
        membership,
        posting,
        of.clock,
        of.ids,
        settings.limits.groups,
    )
    connections = ConnectionLimits(
        gate,
        of.presence,
        of.hub,
        settings.connections,
        settings.timing.reconnect_within_s * 1000,
    )
    accounts = Accounts(gate, of.users, of.presence, conversations, groups)
    clearing = Clearing(of.marks, of.bus, of.users, accounts, of.channel)
    trail = Trail(of.users, of.memberships, of.messages)
    return Chat(
        settings=settings,
        verifier=of.verifier,
        gate=gate,
        push_public_key=of.push_public_key,
        posting=posting,
        receipts=Receipts(gate, reader, of.live, of.conversations, of.clock, clearing, of.bus),
        presences=Presences(
            gate,
            of.live,
            of.presence,
            of.users,
            of.memberships,
            of.clock,
            of.hub,
            connections,
            groups,
            membership,
            reader,
        ),
        connections=connections,
        typing=TypingSignals(entrance, of.presence),
        conversations=conversations,
        membership=membership,
        muting=Muting(entrance, inbox, of.live, of.memberships, membership),
        history=History(entrance, reader),
        sync=Sync(gate, reader, inbox, of.live),
        inbox=inbox,
        attachments=attachments,
        files=Files(reader, of.messages, of.blobs, of.images, quota),
        upload_sweep=UploadSweep(of.blobs, quota, of.clock),
        healing=Healing(reader, of.live),
        accounts=accounts,
        clearing=clearing,
        rebuild=Rebuild(reader, inbox, of.conversations, of.memberships, of.live, of.bus, of.clock),
        bus=of.bus,
        notifications=Notifications(
            entrance,
            reader,
            of.users,
            of.memberships,
            accounts,
            of.presence,
            of.marks,
            of.bus,
            of.channel,
            of.clock,
            delay_s=settings.timing.notify_delay_s,
        ),
        export=Export(trail, reader, of.memberships, of.blobs, of.clock),
        erasure=Erasure(
            trail,
            gate,
            reader,
            membership,
            of.conversations,
            of.users,
            of.live,
            eraser,
            erased,
            of.hub,
        ),
        eraser=eraser,
        probes=of.probes,
        check_health=HealthCheck(of.probes),
    )


class _StoreProbe:
    def __init__(self, store: ConversationStore) -> None:
        self._store = store

    async def check(self) -> None:
        await self._store.find(ConversationId("d-" + "0" * 32))
