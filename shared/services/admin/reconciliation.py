"""Restoring live state from the store: heads, receipts and inboxes, while the system runs.

Everything is merged by maximum with what live state has. So it may run at any time, run twice, or
stop halfway.
"""

import logging
from dataclasses import dataclass, replace
from typing import Final, Protocol

from shared.domain.errors import NotFoundError
from shared.domain.ids import ConversationId, UserId, is_conversation_id
from shared.domain.times import to_ms
from shared.ports import (
    Bus,
    Clock,
    ConversationHeads,
    InboxEntry,
    InboxState,
    MembershipStore,
    ReconcileStep,
)
from shared.services.conversations.reader import ConversationReader
from shared.services.inbox.order import InboxOrder

logger = logging.getLogger(__name__)

EVERYTHING: Final = "all"
_STEP: Final = 200  # conversations for one message of the queue: a few seconds of work


class _LiveState(ConversationHeads, InboxState, Protocol):
    """The parts of live state that a reconciliation reads and fills."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Restores what is derived of one conversation, of one user, or of all conversations."""

    reader: ConversationReader
    order: InboxOrder
    memberships: MembershipStore
    live: _LiveState
    bus: Bus
    clock: Clock

    async def run(self, what: str) -> None:
        """Restore a conversation, a user with all their conversations, or `all`.

        `all` continues by messages in the queue, with 200 conversations each.

        Raises:
            NotFoundError: There is no such conversation.
            UnavailableError: The store, live state or the queue did not answer: run it again.
        """
        if what == EVERYTHING:
            await self.bus.send(ReconcileStep(to_ms(self.clock.now()), after=""))
        elif is_conversation_id(what):
            if not await self._conversation(ConversationId(what)):
                raise NotFoundError("there is no such conversation")
        else:
            for conversation_id in await self.memberships.list_all(UserId(what)):
                await self._conversation(conversation_id)
            await self.order.reconcile(UserId(what), anew=True)

    async def step(self, step: ReconcileStep) -> None:
        """Restore the conversations of one step of `all`, and queue the next step.

        Raises:
            UnavailableError: As for `run`; the queue brings the step again.
        """
        ids, ended = await self.reader.list_ids(step.after, limit=_STEP)
        for conversation_id in ids:
            await self._conversation(conversation_id)
        logger.info("reconciled %d conversations", len(ids))
        if ids:
            await self.bus.send(replace(step, after=ended))

    async def _conversation(self, conversation_id: ConversationId) -> bool:
        conversation = await self.reader.find(conversation_id, version=None)
        if conversation is None:
            return False
        # Fails while live state is down, which `ConversationReader.reconcile` would pass over in
        # silence.
        await self.live.head(conversation_id)
        head, _ = await self.reader.reconcile(conversation)
        entry = InboxEntry(conversation_id, to_ms(head.at or conversation.created_at))
        await self.live.put_inbox(conversation.member_ids, entry)
        return True
