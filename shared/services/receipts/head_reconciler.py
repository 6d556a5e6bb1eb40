"""Bringing heads in live state up to the store, from the change feed, which misses no message.

A worker may die, or lose live state, after it has stored a message and before it has recorded the
message. Then the head in live state is behind, and readers would not see the message until somebody
sends the next one. The change feed brings every stored message within seconds. Heads only rise, so
it does no harm that the feed brings messages late or twice. Proved by
tests/integration/services/test_head_reconciler.py and by the fault tests in tests/reliability.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.ids import ConversationId
from shared.domain.messages.message import Message
from shared.ports import ConversationHeads
from shared.services.conversations.reader import ConversationReader

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadReconciler:
    """Raises heads that are behind, and the members' inboxes and activity with them."""

    reader: ConversationReader
    live: ConversationHeads

    async def reconcile(self, messages: Iterable[Message]) -> int:
        """Record the messages that live state has not seen; return how many heads were behind.

        Costs one round trip when no head is behind.

        Raises:
            UnavailableError: Live state is down; the feed must bring the batch again.
        """
        newest: dict[ConversationId, Message] = {}
        for message in messages:
            other = newest.get(message.conversation_id)
            if other is None or other.sequence < message.sequence:
                newest[message.conversation_id] = message
        if not newest:
            return 0
        behind = await self.live.raise_heads(list(newest.values()))
        missed = [
            each for each, is_behind in zip(newest.values(), behind, strict=True) if is_behind
        ]
        for message in missed:
            conversation = await self.reader.find(message.conversation_id, version=0)
            if conversation is not None:
                await self.live.record_sent(message, conversation.member_ids)
        if missed:
            logger.info("heads brought up to the store: %d", len(missed))
        return len(missed)
