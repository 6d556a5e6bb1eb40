"""The order of each user's inbox: a part of the live state."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from shared.domain.ids import ConversationId, UserId
from shared.domain.live import Epoch, InboxEntry, Touches
from shared.domain.mute import Mute


class InboxState(Protocol):
    """Each user's conversations by activity. Each method is one round trip."""

    async def inbox_page(
        self, user_id: UserId, *, limit: int, after: InboxEntry | None
    ) -> list[InboxEntry] | None:
        """Return up to *limit* entries, newest activity first.

        None when the inbox is lost, or the store has not confirmed it in this epoch.
        """
        ...

    async def begin_inbox(self, user_id: UserId, *, epoch: Epoch) -> list[InboxEntry]:
        """Begin to rebuild an inbox, or join a rebuild under way; return what it holds already.

        From then on every message raises the inbox, as it does a complete one. An inbox of an
        earlier epoch may hold what its user has left since: it begins anew.
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
            epoch: The epoch as it was before the store was asked for anything.
            complete: Nothing is lacking any more: pages may be served from it.
        """
        ...

    async def put_inbox(self, user_ids: Iterable[UserId], entry: InboxEntry) -> None:
        """Put a conversation into these users' inboxes, and touch it for them."""
        ...

    async def remember_mutes(
        self, user_id: UserId, mutes: Mapping[ConversationId, Mute], *, epoch: Epoch
    ) -> None:
        """Keep what the user's memberships say, for `summaries`; a newer one that is kept stays.

        Args:
            epoch: The epoch as it was before the store was asked: believed in that one alone.
        """
        ...

    async def drop_inbox(self, user_id: UserId, conversation_id: ConversationId) -> None:
        """Take a conversation out of an inbox, and touch it: clients learn that it left."""
        ...

    async def touch(self, touched: Iterable[tuple[UserId, ConversationId]]) -> None:
        """Note that something which a client shows of a conversation changed for a user.

        Call it after the change can be read. One round trip for some hundreds.
        """
        ...

    async def touches(self, user_id: UserId, *, since: int | None, limit: int) -> Touches:
        """Return the first *limit* conversations touched after *since*.

        Args:
            since: A moment that an earlier answer named; None to ask for the newest moment alone.
        """
        ...
