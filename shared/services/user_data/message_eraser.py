"""Emptying the messages of erased senders: for erasures, for late sends, for the change feed."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId
from shared.domain.messages.message import Message, erase
from shared.ports import BlobStore, InboxState, MessageStore
from shared.services.conversations.reader import ConversationReader
from shared.services.gathering import gather_at_most
from shared.services.user_data.erased_users import ErasedUsers

logger = logging.getLogger(__name__)

_WRITERS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEraser:
    """Removes the content of messages. Each message stays at its sequence. May be repeated."""

    reader: ConversationReader
    messages: MessageStore
    live: InboxState
    blobs: BlobStore
    erased: ErasedUsers

    async def empty(self, messages: Sequence[Message]) -> int:
        """Empty the messages that have content, and delete their files; return how many files.

        Raises:
            UnavailableError: A service did not answer; empty the messages again.
        """
        content = [message for message in messages if not message.is_erased]
        files = sum(await gather_at_most(_WRITERS, map(self._empty, content)))
        newest: dict[ConversationId, Message] = {}
        for message in messages:
            other = newest.get(message.conversation_id)
            if other is None or other.sequence < message.sequence:
                newest[message.conversation_id] = message
        for message in newest.values():
            await self._refresh(message)
        return files

    async def empty_late(self, messages: Sequence[Message]) -> list[Message]:
        """Return *messages* as they may be shown: those of erased senders are emptied first.

        The change feed brings every stored message here at least once. That includes a message
        whose worker died after storing it, and a message whose attachments were written again after
        it was emptied. So a message that an erased user's late attempt leaves behind is emptied
        within moments. Costs one round trip to live state for a batch. Proved by
        test_the_feed_empties_what_a_dying_worker_left.

        Raises:
            UnavailableError: A service did not answer; the feed brings the batch again.
        """
        content = [message for message in messages if not message.is_erased]
        gone = await self.erased.among(message.sender_id for message in content)
        late = [message for message in content if message.sender_id in gone]
        if late:
            await self.empty(late)
            logger.warning("messages of erased users emptied after their erasure: %d", len(late))
        return [erase(each) if each.sender_id in gone else each for each in messages]

    async def _empty(self, message: Message) -> int:
        # Files first: while the message still names them, a repeat finds them again.
        for attachment in message.attachments:
            await self.blobs.settle(message.conversation_id, attachment.attachment_id, keep=False)
        await self.messages.erase(message)
        return len(message.attachments)

    async def _refresh(self, erased: Message) -> None:
        """Replace live state's copy of a conversation's newest message by the emptied message.

        Live state keeps that copy for inboxes. A copy of a later message belongs to somebody else,
        or a later step of the erasure empties it.
        """
        if not await self._is_shown(erased):
            return
        conversation = await self.reader.find(erased.conversation_id, version=0)
        if conversation is not None:
            await self.reader.reconcile(conversation)
        if await self._is_shown(erased):
            raise UnavailableError("the store lags behind")

    async def _is_shown(self, erased: Message) -> bool:
        (summary,) = await self.live.summaries(erased.sender_id, [erased.conversation_id])
        last = summary.last
        if last is None or last.sender_id != erased.sender_id:
            return False
        return last.sequence <= erased.sequence and not last.is_erased
