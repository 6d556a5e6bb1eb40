"""Values of the live state: what is fast, derived, and may be lost at any moment."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NewType

from shared.domain.events import Effect
from shared.domain.ids import NO_SEQUENCE, ConnectionId, ConversationId, Sequence, UserId
from shared.domain.limits import Limit
from shared.domain.message import Message
from shared.domain.mute import Mute
from shared.domain.receipt import Receipt

Epoch = NewType("Epoch", str)
"""The name of a time in which live state lost nothing: a random whole number in digits."""

NO_EPOCH = Epoch("")

AccountState = Literal["open", "erasing", "erased", "unknown"]
Outcome = Literal["moved", "unchanged", "beyond", "stale", "unknown"]


@dataclass(slots=True, eq=False)
class Token:
    """Whether a call has been through the limiter, which it goes through once.

    Args:
        news: What the call told of its user there. Live state counts that as told, and no later
            call brings it again: so the edge sends it, whatever the call is refused for after it.
    """

    is_taken: bool = False
    news: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one user, for the limiter and the presence lease.

    Args:
        connection_id: The hub connection it came over; None for HTTP, which holds no lease.
        limit: The bucket it takes a token from; None when the call is not limited.
    """

    user_id: UserId
    connection_id: ConnectionId | None = None
    limit: tuple[str, Limit] | None = None
    token: Token = field(default_factory=Token, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CallState:
    """What live state says of a call.

    Args:
        wait_ms: Milliseconds until the limiter would let the call through; 0 lets it.
        came_online: This call made the user online.
        has_other_connections: The user has live connections beside this call's own.
        account: What live state remembers of the caller's account; `unknown` when it has lost that,
            and then the store tells. Of an erased one nothing was noted.
    """

    wait_ms: int = 0
    came_online: bool = False
    has_other_connections: bool = True
    account: AccountState = "open"


@dataclass(frozen=True, slots=True)
class Head:
    """The hot end of a conversation.

    Args:
        known: False when live state has lost this conversation, or the store has not confirmed it
            in this epoch; then nothing else counts.
        at: When its newest message was sent; None before the first.
        epoch: Live state's epoch at the reading, known head or not; empty where none was told.
    """

    known: bool = False
    sequence: Sequence = NO_SEQUENCE
    version: int = 0
    at: datetime | None = None
    epoch: Epoch = field(default=NO_EPOCH, compare=False)


@dataclass(frozen=True, slots=True)
class FlushedState:
    """What the conversations store keeps of the live state, as of the last flush.

    Args:
        stamp: That flush's own; 0 before the first.
        at: When the newest message was sent; None before the first.
    """

    head: Sequence
    receipts: tuple[Receipt, ...]
    stamp: int = 0
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LiveConversation:
    """The live state of a conversation, as a flush takes it.

    Args:
        stamp: Live state's own clock at the snapshot, in microseconds: this flush's name.
        base: The stamp of the flush that this one follows, as live state remembers it; 0 for none.
        changed: Members whose receipts moved since the last snapshot.
        told: No acknowledgement came since the last flush: what else moves a receipt, a message,
            has touched every member by itself.
    """

    conversation_id: ConversationId
    head: Head
    receipts: tuple[Receipt, ...]
    changed: tuple[UserId, ...]
    stamp: int
    base: int = 0
    told: bool = True


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """How live state took an acknowledgement.

    Args:
        outcome: `moved` or `unchanged`; `beyond` when it lies past the head that live state
            knows; `stale` when the caller's conversation version is not live state's; `unknown`
            when live state has lost the conversation.
    """

    outcome: Outcome
    receipt: Receipt
    head: Sequence


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """One conversation of an inbox, and when it was last active: epoch milliseconds."""

    conversation_id: ConversationId
    activity_ms: int


@dataclass(frozen=True, slots=True)
class Touches:
    """Which conversations were touched for one user after a moment, the first touched first.

    Args:
        honoured: False when live state cannot tell: it lost what it knew of that moment.
        newest: The moment of the newest touch of all: microseconds of live state's own clock.
        epoch: The epoch it was read in: a moment of another epoch says nothing.
    """

    honoured: bool
    newest: int
    touched: tuple[tuple[ConversationId, int], ...] = ()
    epoch: Epoch = NO_EPOCH


@dataclass(frozen=True, slots=True)
class LiveSummary:
    """What one inbox row or sync position needs of live state.

    Args:
        mute: The user's own; None when live state does not know, and then the store tells.
    """

    head: Head
    last: Message | None
    receipt: Receipt
    mute: Mute | None = None
