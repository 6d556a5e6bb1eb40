"""Bringing live state up to what is stored, from the change feed, which misses nothing.

A worker that dies, or loses Redis, between storing a message and recording it leaves the head of
that conversation behind. Whoever reads would not see the message until the next one is sent.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.ids import ConversationId
from shared.domain.message import Message
from shared.ports import LiveState
from shared.services.reader import ConversationReader

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Healing:
    """Raises heads that are behind, and tells members of the messages they missed."""

    reader: ConversationReader
    live: LiveState

    async def confirm(self, messages: Iterable[Message]) -> int:
        """Record those of *messages* that live state has not seen; return how many heads it was.

        One round trip when nothing is behind.

        Raises:
            UnavailableError: Live state is down; confirm the batch again when it is back.
        """
        newest: dict[ConversationId, Message] = {}
        for message in messages:
            known = newest.get(message.conversation_id)
            if known is None or known.sequence < message.sequence:
                newest[message.conversation_id] = message
        if not newest:
            return 0
        behind = await self.live.raise_heads(list(newest.values()))
        healed = [one for one, was in zip(newest.values(), behind, strict=True) if was]
        for message in healed:
            conversation = await self.reader.find(message.conversation_id, version=0)
            if conversation is not None:
                await self.live.record_sent(message, conversation.member_ids)
        if healed:
            logger.info("heads brought up to the store: %d", len(healed))
        return len(healed)
