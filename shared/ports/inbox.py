"""The order of each user's inbox: a part of the live state."""

from collections.abc import Iterable
from typing import Protocol

from shared.domain.ids import ConversationId, UserId
from shared.domain.live import InboxEntry


class InboxState(Protocol):
    """Each user's conversations by activity. Each method is one round trip."""

    async def inbox_page(
        self, user_id: UserId, *, limit: int, after: InboxEntry | None
    ) -> list[InboxEntry] | None:
        """Return up to *limit* entries, newest activity first; None when the inbox is lost."""
        ...

    async def fill_inbox(self, user_id: UserId, entries: Iterable[InboxEntry]) -> None:
        """Begin or complete an inbox with *entries*, raising those that are there."""
        ...

    async def put_inbox(self, user_ids: Iterable[UserId], entry: InboxEntry) -> None: ...

    async def drop_inbox(self, user_id: UserId, conversation_id: ConversationId) -> None: ...
