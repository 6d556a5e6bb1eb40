"""The order of each user's inbox: a part of the live state."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.domain.conversations.mute import Mute
from shared.domain.ids import ConversationId, UserId
from shared.domain.live import NO_EPOCH, Epoch, Head
from shared.domain.messages.message import Message
from shared.domain.messages.receipt import Receipt
from shared.ports.live_state.calls import Call, CallState
from shared.ports.live_state.epochs import Epochs


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


class InboxState(Epochs, Protocol):
    """Each user's conversations by activity. Each method is one round trip."""

    async def heartbeat(self, call: Call) -> tuple[CallState, int]:
        """Enter, and return the count of messages to this user."""
        ...

    async def inbox_page(
        self,
        user_id: UserId,
        *,
        limit: int,
        after: InboxEntry | None,
        begun: Epoch | None = None,
    ) -> list[InboxEntry] | None:
        """Return up to *limit* entries, newest activity first.

        None when the inbox is lost, or the store has not confirmed it in this epoch.

        Args:
            begun: Take the entries also from a list whose reconciliation began in that epoch and is
                not complete; only for a caller that knows that the page is in it.
        """
        ...

    async def begin_inbox(self, user_id: UserId, *, epoch: Epoch) -> list[InboxEntry]:
        """Begin to reconcile an inbox, or join what is under way; return what it holds already.

        From then on every message raises the inbox, as it raises a complete one. An inbox of an
        earlier epoch begins anew, because it may hold a conversation that its user has left since.
        """
        ...

    async def fill_inbox(
        self, user_id: UserId, entries: Iterable[InboxEntry], *, epoch: Epoch, complete: bool
    ) -> bool:
        """Add *entries* to an inbox, raising those that are there.

        Return False when the inbox was lost since it was begun in that epoch: then nothing is
        added.

        Args:
            entries: Some hundreds at most.
            epoch: The epoch as it was before the caller read the store.
            complete: The inbox is complete with these: pages may be served from it.
        """
        ...

    async def put_inbox(self, user_ids: Iterable[UserId], entry: InboxEntry) -> None:
        """Put a conversation into these users' inboxes, and touch it for them."""
        ...

    async def summaries(self, user_id: UserId, ids: Sequence[ConversationId]) -> list[LiveSummary]:
        """Return what live state has of these conversations for one user, in the order of *ids*."""
        ...

    async def remember_mutes(
        self, user_id: UserId, mutes: Mapping[ConversationId, Mute], *, epoch: Epoch
    ) -> None:
        """Keep the mutes of a user's memberships for `summaries`; a newer one that is kept stays.

        Args:
            epoch: The epoch as it was before the caller read the store: the mutes count in that
                epoch alone.
        """
        ...

    async def drop_inbox(self, user_id: UserId, conversation_id: ConversationId) -> None:
        """Take a conversation out of an inbox, and touch it: clients learn that it left."""
        ...

    async def touch(self, touched: Iterable[tuple[UserId, ConversationId]]) -> None:
        """Note that something which a client shows of a conversation changed for a user.

        Call it after the change can be read. One round trip for each 500.
        """
        ...

    async def touches(self, user_id: UserId, *, since: int | None, limit: int) -> Touches:
        """Return the first *limit* conversations touched after *since*.

        Args:
            since: A moment that an earlier answer named; None to ask for the newest moment alone.
        """
        ...
