"""The chat over twins: several workers, one of each service behind them, one clock for all."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, override

from shared.composition import Chat, build_services
from shared.config import Settings
from shared.domain.events import Effect, JoinGroup, LeaveGroup, Push
from shared.domain.ids import ConnectionId, ConversationId, SequenceNumber, UserId
from shared.domain.messages.message import Draft, Message
from shared.domain.people.user import Subscription, User
from shared.ports import Call, Ports
from shared.services.conversations.conversations import ChangedConversation
from shared.services.messages.posting import Posted
from tests.twins.accounts import MemoryAccountStates
from tests.twins.blobs import MemoryBlobStore, MemoryImages
from tests.twins.bus import MemoryBus, MemoryNotificationChannel
from tests.twins.conversations import (
    ConversationTable,
    MemoryConversationStore,
    MemoryMembershipStore,
    MemoryUserStore,
)
from tests.twins.faulty_link import FaultyLink
from tests.twins.hub import MemoryConnectionHub
from tests.twins.live import MemoryLiveState
from tests.twins.messages import MemoryMessageStore, MessageTable
from tests.twins.presence import MemoryNotificationClaims, MemoryPresenceStore
from tests.twins.redis_data import RedisTwin
from tests.twins.system import (
    CountingIds,
    MemoryProbe,
    MemoryVerifier,
    SettableClock,
    WrongClock,
)
from tests.twins.uploads import MemoryUploads
from tests.unit.things import ANN, BOB, CAT, DAN, client_id

ENV = {
    "CHAT_JWT_ISSUER": "https://site.example",
    "CHAT_JWT_AUDIENCE": "parley",
    "CHAT_JWT_JWKS_URL": "https://site.example/keys",
    "CosmosConnection": "twin",
    "ServiceBusConnection": "twin",
    "BlobConnection": "twin",
    "AzureSignalRConnectionString": "twin",
    "CHAT_REDIS_URL": "redis://twin",
}
LEASE_S = 300
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 12


class FastLoop(asyncio.SelectorEventLoop):
    """Never sleeps: when all wait for a moment, it is that moment."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped_s = 0.0

    @override
    def time(self) -> float:
        return super().time() + self._skipped_s

    def _run_once(self) -> None:
        inner: Any = self
        if not inner._ready and inner._scheduled:
            self._skipped_s += max(0.0, inner._scheduled[0].when() - self.time())
        super()._run_once()  # type: ignore[misc]  # the loop's own, not in its stubs


@dataclass(frozen=True, slots=True)
class Worker:
    """One process of the app: its own caches, its own sessions with the stores."""

    chat: Chat
    messages: MemoryMessageStore
    conversations: MemoryConversationStore


class World:
    """Everything outside the app, and workers of it."""

    def __init__(
        self,
        people: Iterable[User] | None = None,
        *,
        settings: Mapping[str, str] | None = None,
        clock: SettableClock | None = None,
    ) -> None:
        self.settings = Settings.from_env({**ENV, **(settings or {})})
        self.clock = clock or SettableClock()
        self.ids = CountingIds()
        self.redis_link = FaultyLink()
        self.redis = RedisTwin(self.clock, lease_s=LEASE_S)
        self.live = MemoryLiveState(self.redis, link=self.redis_link)
        self.presence = MemoryPresenceStore(self.redis, link=self.redis_link)
        self.hub = MemoryConnectionHub()
        self.accounts = MemoryAccountStates(self.redis, link=self.redis_link)
        self.message_table = MessageTable(self.clock)
        self.conversation_table = ConversationTable()
        self.memberships = MemoryMembershipStore()
        self.users = MemoryUserStore(everyone() if people is None else people)
        self.bus = MemoryBus()
        self.channel = MemoryNotificationChannel()
        self.blobs = MemoryBlobStore(self.clock)
        self.images = MemoryImages({PNG: (640, 480)})
        self.probes = {
            name: MemoryProbe() for name in ("cosmos", "redis", "signalr", "serviceBus", "blob")
        }

    def forget_activity_bounds(self) -> None:
        """Make all that is stored as it was before there was `active_from`."""
        self.memberships.active_from.clear()
        for log in self.conversation_table.logs.values():
            log[:] = [replace(one, flushed=replace(one.flushed, active_from=None)) for one in log]

    def worker(self, *, ahead_s: float = 0, messages: MemoryMessageStore | None = None) -> Worker:
        """Return one more worker of this world.

        Args:
            ahead_s: How far its clock is ahead of the world's, in seconds.
            messages: Its session with the message store; None for an ordinary one.
        """
        messages = messages or MemoryMessageStore(
            bucket_size=self.settings.bucket_size, table=self.message_table
        )
        conversations = MemoryConversationStore(table=self.conversation_table)
        ports = Ports(
            messages=messages,
            conversations=conversations,
            memberships=self.memberships,
            users=self.users,
            live=self.live,
            presence=self.presence,
            hub=self.hub,
            accounts=self.accounts,
            claims=MemoryNotificationClaims(self.redis, link=self.redis_link),
            bus=self.bus,
            channel=self.channel,
            blobs=self.blobs,
            uploads=MemoryUploads(self.redis, link=self.redis_link),
            images=self.images,
            verifier=MemoryVerifier(),
            clock=WrongClock(self.clock, ahead_s=ahead_s),
            ids=self.ids,
            probes=dict(self.probes),
        )
        return Worker(build_services(self.settings, ports), messages, conversations)

    def stored(self, conversation_id: ConversationId) -> list[Message]:
        """Return what is stored of a conversation, by sequence."""
        log = self.message_table.logs[conversation_id]
        return sorted(log, key=lambda one: one.sequence)


def everyone() -> list[User]:
    """Return four users who know each other; each but dan has one device to notify."""
    names = {ANN: "Ann", BOB: "Bob", CAT: "Cat", DAN: "Dan"}
    return [
        User(
            user,
            name,
            contacts=tuple(one for one in names if one != user),
            subscriptions=() if user == DAN else (device(f"{user}-phone"),),
        )
        for user, name in names.items()
    ]


def device(name: str) -> Subscription:
    return Subscription(name, f"https://push.example/{name}", "p256dh", "auth")


def draft(number: int, body: str = "hello", *, retry: bool = False, **said: Any) -> Draft:
    return Draft(client_id(number), body, retry=retry, **said)


def by(user: UserId, connection: str | None = None) -> Call:
    return Call(user, ConnectionId(connection) if connection else None)


async def start(worker: Worker, *members: UserId, title: str = "Trip") -> ChangedConversation:
    """Start a group that the first member owns."""
    owner, *others = members
    return await worker.chat.new_conversations.start(
        by(owner), kind="group", member_ids=others, title=title
    )


async def start_pair(worker: Worker, one: UserId = ANN, other: UserId = BOB) -> ChangedConversation:
    return await worker.chat.new_conversations.start(
        by(one), kind="direct", member_ids=[other], title=""
    )


async def post(
    worker: Worker, conversation_id: ConversationId, number: int, user: UserId = ANN, **said: Any
) -> Posted:
    return await worker.chat.posting.post_message(by(user), conversation_id, draft(number, **said))


def sequence(number: int) -> SequenceNumber:
    return SequenceNumber(number)


def pushed(effects: Iterable[Effect]) -> list[Push]:
    return [one for one in effects if isinstance(one, Push)]


def joins(effects: Iterable[Effect]) -> list[JoinGroup]:
    return [one for one in effects if isinstance(one, JoinGroup)]


def leaves(effects: Iterable[Effect]) -> list[LeaveGroup]:
    return [one for one in effects if isinstance(one, LeaveGroup)]


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run what a property checks, without waiting for any clock."""
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(coroutine)
