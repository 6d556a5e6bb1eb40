"""Live state: everything that is fast and may be lost."""

from collections.abc import Iterable
from collections.abc import Sequence as Series
from datetime import datetime
from typing import Protocol

from shared.domain.conversation import Conversation
from shared.domain.ids import (
    ConnectionId,
    ConversationId,
    Sequence,
    UserId,
)
from shared.domain.live import (
    NO_EPOCH,
    AccountState,
    Acknowledged,
    Call,
    CallState,
    Epoch,
    Head,
    LiveConversation,
    LiveSummary,
)
from shared.domain.message import Message
from shared.domain.presence import Presence
from shared.domain.receipt import Receipt
from shared.domain.seats import Seat
from shared.ports.inbox import InboxState


class LiveState(InboxState, Protocol):
    """Everything that is fast and may be lost: heads, receipts, presence, limits, inbox order.

    Each method is one round trip unless it says otherwise.
    """

    async def epoch(self) -> Epoch:
        """Return the epoch: live state has lost nothing since it began.

        A live state that was emptied, or came back older, begins a new one with the first call
        that asks, whoever remembers the one before.
        """
        ...

    async def enter(self, call: Call) -> CallState:
        """Renew the caller's lease and take a token."""
        ...

    async def take_quota(self, user_id: UserId, amount: int, *, most: int) -> int:
        """Add *amount* to what the user used today, up to *most*; return ms to wait, or 0."""
        ...

    async def enter_conversation(
        self, call: Call, conversation_id: ConversationId
    ) -> tuple[CallState, Head]:
        """Enter, and read the conversation's head and version."""
        ...

    async def record_sent(
        self,
        message: Message,
        members: Iterable[UserId],
        *,
        connection_id: ConnectionId | None = None,
    ) -> bool:
        """Raise the head, the sender's own receipt, and every member's inbox and activity.

        Return whether the sender has live connections beside *connection_id*: asked after the
        message was stored, so that a device that comes too late for its push finds it by a sync.

        Raises:
            SenderErasedError: The sender was erased while the message was on its way to the store.
                It is recorded; whoever stored it empties it.
        """
        ...

    async def raise_heads(self, newest: Series[Message]) -> list[bool]:
        """Raise the heads of known conversations to these messages; tell which were behind."""
        ...

    async def heartbeat(self, call: Call) -> tuple[CallState, int]:
        """Enter, and return the count of messages to this user."""
        ...

    async def acknowledge(
        self,
        call: Call,
        conversation: Conversation,
        *,
        delivered: Sequence,
        read: Sequence,
        now: datetime,
    ) -> tuple[CallState, Acknowledged]:
        """Enter, and merge the watermarks if the conversation is known at this version."""
        ...

    async def seed(
        self,
        conversation: Conversation,
        newest: Message | None,
        receipts: Iterable[Receipt],
        *,
        flushed: int = 0,
        epoch: Epoch = NO_EPOCH,
    ) -> None:
        """Merge what is stored of a conversation, by maximum, with whatever is there.

        Args:
            flushed: The stamp of the flush that *receipts* are of; 0 for none.
            epoch: Makes the conversation known in this epoch, which was read before the store
                was: what is lost between the two must not count as there. By default it only
                merges.
        """
        ...

    async def head(self, conversation_id: ConversationId) -> Head: ...

    async def receipts(
        self, ids: Series[ConversationId]
    ) -> list[tuple[Head, dict[UserId, Receipt]]]: ...

    async def summaries(
        self, user_id: UserId, ids: Series[ConversationId]
    ) -> list[LiveSummary]: ...

    async def set_version(self, conversation_id: ConversationId, version: int) -> None:
        """Raise the version that caches are compared with."""
        ...

    async def repaired_version(self, conversation_id: ConversationId) -> int:
        """Return the newest version whose derived state was completed; 0 when none is known."""
        ...

    async def mark_repaired(
        self, conversation_id: ConversationId, version: int, *, follows: int | None = None
    ) -> None:
        """Note that all derived state of *version* is complete.

        Args:
            follows: Only if this version is noted; None notes it in any case. Whoever completed
                only what one change brought gives the version before: what is lacking of an
                earlier change would pass for done otherwise.
        """
        ...

    async def enter_connection(self, call: Call) -> tuple[CallState, list[Seat] | None]:
        """Enter, and return the user's seats in groups; None when they are lost."""
        ...

    async def fill_seats(self, user_id: UserId, seats: Iterable[Seat]) -> None:
        """Note all seats a user has, so that none is lost any more."""
        ...

    async def take_seat(self, user_ids: Iterable[UserId], seat: Seat) -> None:
        """Note one more seat of each user, where the others are noted; it is not sure yet."""
        ...

    async def renew_seats(self, user_id: UserId, seats: Iterable[Seat]) -> list[Seat] | None:
        """Note that a user has just been put into these groups for sure; return all seats then.

        A seat that is gone by now stays gone: the user has left that group meanwhile. None when
        the user's seats are lost.
        """
        ...

    async def forget(self, user_id: UserId) -> int:
        """Delete all that is kept of one user alone; return how many entries that were."""
        ...

    async def dirty_conversations(self, *, limit: int) -> list[ConversationId]:
        """Return conversations whose heads or receipts changed since their last flush."""
        ...

    async def snapshots(self, ids: Series[ConversationId]) -> list[LiveConversation]:
        """Take what a flush writes; a head is not `known` when live state has lost it.

        What cannot be read raises an error of its own, which is no UnavailableError.
        """
        ...

    async def flushed(self, states: Series[LiveConversation]) -> None:
        """Mark as clean what has not changed since its snapshot, and remember that flush."""
        ...


class PresenceStore(Protocol):
    """Leases and last signs of life. Each method is one round trip."""

    async def open(
        self, user_id: UserId, connection_id: ConnectionId, *, most: int
    ) -> list[ConnectionId]:
        """Note a connection that holds a lease; end the leases of the oldest above *most*.

        Returns:
            Those whose leases were ended, for good: they are to be closed.
        """
        ...

    async def close(self, user_id: UserId, connection_id: ConnectionId) -> bool:
        """End a lease for good, known or not yet; return whether the user went offline by it."""
        ...

    async def list_presences(self, user_ids: Series[UserId]) -> list[Presence]: ...

    async def lapse(self, *, limit: int) -> list[Presence]:
        """End up to *limit* lapsed leases; return who went offline by it."""
        ...

    async def connections(self, user_id: UserId) -> list[ConnectionId]: ...

    async def swap_watched(
        self, connection_id: ConnectionId, user_ids: Iterable[UserId]
    ) -> set[UserId]:
        """Remember what a connection watches; return what it watched before."""
        ...

    async def publish(self, presence: Presence) -> None:
        """Tell the website, which listens on the channel `presence`."""
        ...

    async def mark_typing(
        self, user_id: UserId, conversation_id: ConversationId, *, typing: bool
    ) -> bool:
        """Tell whether this typing signal is news: each value once in 2.5 s, never stored.

        That somebody stopped is news only after it was news that they typed.
        """
        ...


class SenderErasedError(Exception):
    """A message with content was stored by a sender who is erased."""


class AccountStates(Protocol):
    """Which accounts are erased, as live state remembers it: a cache of the users' store.

    What is forgotten is `unknown`, never `open`: so losing it costs a look into the store, and
    brings nobody back. Each method is one round trip, and none for nobody.
    """

    async def list_states(self, user_ids: Series[UserId]) -> list[AccountState]: ...

    async def note_open(self, user_ids: Series[UserId]) -> None:
        """Note accounts that the store has just shown, for a day; one noted erased stays so."""
        ...

    async def note_erased(self, user_ids: Series[UserId]) -> None:
        """Note that these accounts are erased, whatever was noted before."""
        ...

    async def note_erasing(self, user_id: UserId) -> None:
        """Note for an hour that this account is being erased; one noted erased stays so."""
        ...


class NoticeMarks(Protocol):
    """What was notified already, so that one conversation rings once per collapse window."""

    async def claim(
        self, user_id: UserId, conversation_id: ConversationId, up_to: Sequence, *, by: str
    ) -> bool:
        """Return whether *up_to* is still to be notified, and claim it for the notice *by*.

        A claim that was never confirmed is the same notice's to take again: its worker died.
        """
        ...

    async def confirm(
        self, user_id: UserId, conversation_id: ConversationId, up_to: Sequence
    ) -> None:
        """Mark what was claimed as notified."""
        ...

    async def release(
        self, user_id: UserId, conversation_id: ConversationId, up_to: Sequence
    ) -> None:
        """Take back a claim whose notification could not be delivered, or was cleared."""
        ...

    async def list_marks(self, asked: Series[tuple[UserId, ConversationId]]) -> list[Sequence]:
        """Return up to where each user is notified of each conversation; 0 where not, or no more.

        One round trip, and none for nothing.
        """
        ...
