"""One Redis for the twins of several workers: its data, its clock, its leases and buckets."""

from collections import Counter, defaultdict
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.conversations.mute import Mute
from shared.domain.ids import (
    NO_SEQUENCE,
    AttachmentId,
    ConnectionId,
    ConversationId,
    SequenceNumber,
    UserId,
)
from shared.domain.limits import BucketState, take
from shared.domain.live import NO_EPOCH, Epoch, Head
from shared.domain.messages.message import Message
from shared.domain.messages.receipt import Receipt
from shared.domain.people.presence import Presence, PresenceStatus
from shared.domain.times import to_ms
from shared.ports import AccountState, Call, CallState, Clock
from tests.twins.faulty_link import FaultyLink

_DAY = timedelta(days=1)
_LONG_AGO = datetime.fromtimestamp(0, tz=UTC)

GONE = frozenset({"erasing", "erased"})


@dataclass(slots=True)
class ConversationState:
    """One conversation's live state; in `epoch` it was seeded, so that nothing is lacking."""

    epoch: Epoch = NO_EPOCH
    sequence: SequenceNumber = NO_SEQUENCE
    version: int = 0
    at: datetime | None = None
    last: Message | None = None
    receipts: dict[UserId, Receipt] = field(default_factory=dict)
    flushed: int = 0
    told: SequenceNumber = NO_SEQUENCE
    acknowledged: int = 0

    @property
    def ready(self) -> bool:
        """Seeded, in whatever epoch."""
        return bool(self.epoch)

    def head(self, epoch: Epoch) -> Head:
        known = self.ready and self.epoch == epoch
        return Head(known, self.sequence, self.version, self.at, epoch)


@dataclass(slots=True)
class Seen:
    """The status last announced of a user, None for none yet, and the last sign of life."""

    status: PresenceStatus | None
    at: datetime


@dataclass(slots=True)
class RedisData:
    """All that a flush loses.

    An inbox is `complete`, or `begun` and being reconciled, or both, or not there; a user's group
    memberships are complete or not there.
    """

    epoch: Epoch = NO_EPOCH
    process: int = 0
    conversations: dict[ConversationId, ConversationState] = field(default_factory=dict)
    changed: defaultdict[ConversationId, set[UserId]] = field(
        default_factory=lambda: defaultdict(set)
    )
    reconciled: dict[ConversationId, int] = field(default_factory=dict)
    dirty: dict[ConversationId, int] = field(default_factory=dict)
    inboxes: dict[UserId, dict[ConversationId, int]] = field(default_factory=dict)
    begun: dict[UserId, Epoch] = field(default_factory=dict)
    complete: dict[UserId, Epoch] = field(default_factory=dict)
    mutes: dict[UserId, dict[ConversationId, tuple[Epoch, Mute]]] = field(default_factory=dict)
    touched: defaultdict[UserId, dict[ConversationId, int]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    floors: dict[UserId, int] = field(default_factory=dict)
    group_memberships: dict[UserId, dict[ConversationId, datetime]] = field(default_factory=dict)
    unconfirmed: defaultdict[UserId, set[ConversationId]] = field(
        default_factory=lambda: defaultdict(set)
    )
    activity: Counter[UserId] = field(default_factory=Counter)
    leases: defaultdict[UserId, dict[ConnectionId, datetime]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    closed: defaultdict[UserId, dict[ConnectionId, datetime]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    opened: defaultdict[UserId, dict[ConnectionId, datetime]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    index: set[UserId] = field(default_factory=set)
    seen: dict[UserId, Seen] = field(default_factory=dict)
    buckets: dict[tuple[UserId, str], BucketState] = field(default_factory=dict)
    quotas: dict[UserId, tuple[int, datetime]] = field(default_factory=dict)
    uploads: dict[UserId, dict[AttachmentId, datetime]] = field(default_factory=dict)
    watched: dict[ConnectionId, set[UserId]] = field(default_factory=dict)
    typing: dict[tuple[UserId, ConversationId], tuple[bool, dict[bool, datetime]]] = field(
        default_factory=dict
    )
    marks: dict[tuple[UserId, ConversationId], SequenceNumber] = field(default_factory=dict)
    claims: dict[tuple[UserId, ConversationId], tuple[SequenceNumber, str]] = field(
        default_factory=dict
    )
    accounts: dict[UserId, AccountState] = field(default_factory=dict)

    def forget(self, user_id: UserId) -> int:
        """Delete what is data of one user alone; tell how many entries that were."""
        named: list[dict[Any, Any]] = [
            self.inboxes,
            self.group_memberships,
            self.unconfirmed,
            self.activity,
        ]
        named += [self.leases, self.opened, self.seen, self.closed, self.quotas, self.uploads]
        named += [self.mutes]
        named += [self.touched, self.floors]
        paired: list[dict[Any, Any]] = [self.buckets, self.marks, self.claims]
        self.index.discard(user_id)
        self.begun.pop(user_id, None)
        self.complete.pop(user_id, None)
        gone = sum(bool(data.pop(user_id, None)) for data in named)
        for data in paired:
            own = [key for key in data if key[0] == user_id]
            gone += len([data.pop(key) for key in own])
        return gone


class RedisTwin:
    """What the live-state, presence and mark twins keep their data in.

    Args:
        lease_s: Seconds a connection's lease lives without a sign.
    """

    def __init__(self, clock: Clock, *, lease_s: float) -> None:
        self.data = RedisData()
        self.published: list[Presence] = []
        self.lease = timedelta(seconds=lease_s)
        self._clock = clock
        self._stamp = 0
        self._process = 1
        self._epochs = 0

    def flush(self) -> None:
        """Lose everything."""
        self.data = RedisData()

    def snapshot(self) -> RedisData:
        """Return a copy of everything, as a file or a lagging replica has it."""
        return deepcopy(self.data)

    def restore(self, data: RedisData) -> None:
        """Go on in another process with what a snapshot holds."""
        self.data = deepcopy(data)
        self._process += 1

    def epoch(self) -> Epoch:
        """Return the epoch, a new one where another process gave it or none is data."""
        if not self.data.epoch or self.data.process != self._process:
            self._epochs += 1
            self.data.epoch, self.data.process = Epoch(str(self._epochs)), self._process
        return self.data.epoch

    def now(self) -> datetime:
        return self._clock.now()

    def stamp(self) -> int:
        """Return the moment in microseconds, later than any before."""
        self._stamp = max(self._stamp + 1, to_ms(self.now()) * 1000)
        return self._stamp

    def live(self, user_id: UserId) -> dict[ConnectionId, datetime]:
        """Return the user's leases that have not lapsed, and forget the others."""
        now = self.now()
        leases = {c: at for c, at in self.data.leases[user_id].items() if at > now}
        self.data.leases[user_id] = leases
        return leases

    def enter(self, call: Call) -> CallState:
        """Take a token and renew the lease, as every call does first."""
        user, connection, account = call.user_id, call.connection_id, self.account(call.user_id)
        if account in GONE:
            return CallState(has_other_connections=False, account="erased")
        wait_ms = self._take(call)
        leases = self.live(user)
        if connection is None or connection in self.data.closed[user]:
            return CallState(wait_ms, has_other_connections=bool(leases), account=account)
        others = leases.keys() - {connection}
        seen = self.data.seen.get(user)
        came = not wait_ms and (seen is None or seen.status != "online")
        leases[connection] = self.now() + self.lease
        self.data.index.add(user)
        status = "online" if came else seen.status if seen else None
        self.data.seen[user] = Seen(status, self.now())
        return CallState(
            wait_ms, came_online=came, has_other_connections=bool(others), account=account
        )

    def account(self, user_id: UserId) -> AccountState:
        return self.data.accounts.get(user_id, "unknown")

    def open(
        self, user_id: UserId, connection_id: ConnectionId, *, most: int
    ) -> list[ConnectionId]:
        """Note a new connection; end the leases of the oldest above *most*, and return them."""
        if connection_id in self.data.closed[user_id]:
            return []
        leases, before = self.live(user_id), self.data.opened[user_id]
        opened = {c: at for c, at in before.items() if c in leases or c == connection_id}
        opened.setdefault(connection_id, self.now())
        unknown = {c: _LONG_AGO for c in sorted(leases) if c not in opened}
        opened = dict(sorted({**unknown, **opened}.items(), key=lambda one: one[1]))
        ended = list(opened)[: max(0, len(opened) - most)]
        for one in ended:
            del opened[one]
            leases.pop(one, None)
            self.data.closed[user_id][one] = self.now()
        self.data.opened[user_id] = opened
        return ended

    def close(self, user_id: UserId, connection_id: ConnectionId) -> bool:
        """End a lease for good; tell whether the user went offline by it."""
        if self.account(user_id) in GONE:
            return False
        now = self.now()
        recent = {c: at for c, at in self.data.closed[user_id].items() if at > now - self.lease}
        self.data.closed[user_id] = {**recent, connection_id: now}
        leases = self.live(user_id)
        leases.pop(connection_id, None)
        seen = self.data.seen.get(user_id)
        if leases or (seen and seen.status == "offline"):
            return False
        self.data.seen[user_id] = Seen("offline", now)
        return True

    def lapse(self, user_id: UserId) -> bool:
        """Forget a user without a live lease; tell whether the user went offline by it."""
        if self.live(user_id):
            return False
        self.data.index.discard(user_id)
        if self.account(user_id) in GONE:
            return False
        seen = self.data.seen[user_id]
        if seen.status == "offline":
            return False
        self.data.seen[user_id] = Seen("offline", seen.at)
        return True

    def take_quota(self, user_id: UserId, amount: int, *, most: int) -> int:
        """Add to what the user used since the first use of the window; return ms to wait, or 0."""
        used, ends_at = self.data.quotas.get(user_id, (0, self.now()))
        if ends_at <= self.now():
            used, ends_at = 0, self.now() + _DAY
        if used + amount > most:
            return max(1, to_ms(ends_at) - to_ms(self.now()))
        self.data.quotas[user_id] = used + amount, ends_at
        return 0

    def _take(self, call: Call) -> int:
        if call.limit is None:
            return 0
        what, limit = call.limit
        key = call.user_id, what
        state, wait_ms = take(limit, self.data.buckets.get(key), now=self.now().timestamp())
        self.data.buckets[key] = state
        return wait_ms


class RedisTwinPart:
    """The base of every twin over a `RedisTwin`: its data, and the link that calls come by."""

    def __init__(self, redis: RedisTwin, *, link: FaultyLink | None = None) -> None:
        self.redis = redis
        self.link = link or FaultyLink()

    def state_of(self, conversation_id: ConversationId) -> ConversationState:
        """Return a conversation's state; an empty one, which is not kept, where none is."""
        return self.redis.data.conversations.get(conversation_id) or ConversationState()
