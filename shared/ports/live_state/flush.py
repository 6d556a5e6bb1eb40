"""What a flush takes from live state and writes to the conversations' store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.domain.live import Head
from shared.domain.messages.receipt import Receipt


@dataclass(frozen=True, slots=True)
class FlushedState:
    """What the conversations store keeps of the live state, as of the last flush.

    Args:
        flush_id: That flush's own; 0 before the first.
        at: When the newest message was sent; None before the first.
        active_from: What the memberships of all members say at least (`domain/activity.py`); None
            in items from before there was such a moment.
    """

    head: SequenceNumber
    receipts: tuple[Receipt, ...]
    flush_id: int = 0
    at: datetime | None = None
    active_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class LiveConversation:
    """The live state of a conversation, as a flush takes it.

    Args:
        flush_id: Live state's own clock at the snapshot, in microseconds: this flush's name.
        previous_flush_id: The stamp of the flush that this one follows, as live state remembers it;
            0 for none.
        changed: Members whose receipts moved since the last snapshot.
        told: No acknowledgement came since the last flush. A message also moves receipts, but it
            has touched every member by itself.
    """

    conversation_id: ConversationId
    head: Head
    receipts: tuple[Receipt, ...]
    changed: tuple[UserId, ...]
    flush_id: int
    previous_flush_id: int = 0
    told: bool = True


class FlushState(Protocol):
    """Which conversations changed since their last flush. Each method is one round trip."""

    async def dirty_conversations(self, *, limit: int) -> list[ConversationId]:
        """Return conversations whose heads or receipts changed since their last flush."""
        ...

    async def snapshots(self, ids: Sequence[ConversationId]) -> list[LiveConversation]:
        """Take what a flush writes; a head is not `known` when live state has lost it.

        A conversation whose keys are broken raises an error that is no UnavailableError.
        """
        ...

    async def flushed(self, states: Sequence[LiveConversation]) -> None:
        """Mark as clean what has not changed since its snapshot, and remember that flush."""
        ...
