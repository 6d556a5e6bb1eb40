"""The order of each user's inbox: a part of the live state."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from shared.domain.ids import ConversationId, UserId
from shared.domain.live import Epoch, InboxEntry
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

    async def fill_inbox(
        self, user_id: UserId, entries: Iterable[InboxEntry], *, epoch: Epoch, complete: bool
    ) -> None:
        """Begin an inbox with *entries*, or add them to what is there, raising those that are.

        Args:
            epoch: The epoch as it was before the store was asked for *entries*: what is lost
                while the store is read must not count as there.
            complete: The inbox holds everything with these. Begin it first, then read the store
                once more: what comes meanwhile is added to an inbox that was begun.
        """
        ...

    async def put_inbox(self, user_ids: Iterable[UserId], entry: InboxEntry) -> None: ...

    async def remember_mutes(
        self, user_id: UserId, mutes: Mapping[ConversationId, Mute], *, epoch: Epoch
    ) -> None:
        """Keep what the user's memberships say, for `summaries`; a newer one that is kept stays.

        Args:
            epoch: The epoch as it was before the store was asked: believed in that one alone.
        """
        ...

    async def drop_inbox(self, user_id: UserId, conversation_id: ConversationId) -> None: ...
