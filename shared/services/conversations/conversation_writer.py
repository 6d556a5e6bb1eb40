"""Conversations as the store keeps them, for the services that change them."""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from shared.domain.conversations.conversation import Conversation
from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId, SequenceNumber
from shared.ports import ConversationHeads, ConversationStore, InboxState
from shared.services.conversations.reader import ConversationReader
from shared.services.retrying import change_stored


class _LiveState(ConversationHeads, InboxState, Protocol):
    """The parts of live state that hear of a change of a conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationWriter:
    """Creates and changes conversations; the store's version guards every change.

    The store is written first, live state second. Should live state miss a new version, because it
    is down or this worker dies, the change feed of the conversations brings it the version later
    (`Membership.reconcile`). Until then another worker may use an older copy, but only while live
    state names no newer version, and for a minute at most (`ConversationReader`).
    """

    reader: ConversationReader
    store: ConversationStore
    live: _LiveState

    async def find(self, conversation_id: ConversationId) -> Conversation | None:
        """Return the conversation as the store has it now."""
        return await self.store.find(conversation_id)

    async def latest(self, conversation: Conversation) -> SequenceNumber:
        """Return the sequence of the conversation's newest message; 0 when there is none."""
        return (await self.reader.head(conversation)).sequence

    async def add(self, fresh: Conversation) -> Conversation | None:
        """Store a new conversation; return None when its id is taken."""
        added = await self.store.add(fresh)
        return None if added is None else self.reader.keep(added)

    async def change(
        self,
        conversation_id: ConversationId,
        change: Callable[[Conversation], Awaitable[Conversation]],
    ) -> tuple[Conversation, Conversation] | None:
        """Store what *change* makes of a conversation; return it before and after.

        The two are the same value when there was nothing to change. Return None when there is no
        such conversation.

        Args:
            change: Called for each attempt; returns its argument when there is nothing to change.

        Raises:
            UnavailableError: The store did not answer, or others change the conversation all the
                time.
        """

        async def changed(before: Conversation | None) -> Conversation | None:
            return before and await change(before)

        before, after = await change_stored(
            "the conversation",
            load=lambda: self.store.find(conversation_id),
            change=changed,
            store=self._replace,
        )
        return None if before is None or after is None else (before, after)

    async def _replace(self, after: Conversation | None) -> Conversation | None:
        if after is None:
            return None
        stored = await self.store.replace(after)
        self.reader.keep(stored)
        with contextlib.suppress(UnavailableError):
            # Every worker's cache compares its copy with this version.
            await self.live.set_version(stored.id, stored.version)
        with contextlib.suppress(UnavailableError):
            # The members' next syncs bring the conversation: something of it has changed.
            await self.live.touch((user, stored.id) for user in stored.member_ids)
        return stored
