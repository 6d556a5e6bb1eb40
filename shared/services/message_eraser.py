"""Emptying messages of erased senders: by an erasure, by a send that was overtaken, by the feed."""

import logging
from collections.abc import Sequence as Series
from dataclasses import dataclass
from typing import Final

from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId
from shared.domain.message import Message, erase
from shared.ports import BlobStore, LiveState, MessageStore
from shared.services.erased_users import ErasedUsers
from shared.services.gathering import gather_at_most
from shared.services.reader import ConversationReader

logger = logging.getLogger(__name__)

_WRITERS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEraser:
    """Takes the content out of messages; each stays at its sequence. May be repeated."""

    reader: ConversationReader
    messages: MessageStore
    live: LiveState
    blobs: BlobStore
    erased: ErasedUsers

    async def empty(self, messages: Series[Message]) -> int:
        """Empty those of *messages* that have content, with their files; return how many files.

        Raises:
            UnavailableError: A service did not answer; empty them again.
        """
        content = [message for message in messages if not message.is_erased]
        files = sum(await gather_at_most(_WRITERS, map(self._empty, content)))
        newest: dict[ConversationId, Message] = {}
        for message in messages:
            known = newest.get(message.conversation_id)
            if known is None or known.sequence < message.sequence:
                newest[message.conversation_id] = message
        for message in newest.values():
            await self._refresh(message)
        return files

    async def empty_late(self, messages: Series[Message]) -> list[Message]:
        """Return *messages* as they may be shown: those of erased senders are emptied first.

        The change feed brings every stored message here at least once, also one whose worker died
        after it stored it, and one whose attachments were written anew after they were emptied. So
        whatever an erased user's attempts leave behind is emptied within moments, however late it
        lands. Costs one round trip to live state for a batch.

        Raises:
            UnavailableError: A service did not answer; the feed brings the batch again.
        """
        gone = await self.erased.among(one.sender_id for one in messages if not one.is_erased)
        late = [one for one in messages if one.sender_id in gone and not one.is_erased]
        if late:
            await self.empty(late)
            logger.warning("messages of erased users emptied after their erasure: %d", len(late))
        return [erase(one) if one.sender_id in gone else one for one in messages]

    async def _empty(self, message: Message) -> int:
        # Files first: while the message still names them, a repeated step finds them again.
        for attachment in message.attachments:
            await self.blobs.settle(message.conversation_id, attachment.attachment_id, keep=False)
        await self.messages.erase(message)
        return len(message.attachments)

    async def _refresh(self, erased: Message) -> None:
        # The newest message that live state knows is kept there, for the inbox. One after the last
        # erased so far is another's, or a later step erases it.
        if not await self._is_shown(erased):
            return
        conversation = await self.reader.find(erased.conversation_id, version=0)
        if conversation is not None:
            await self.reader.recover(conversation)
        if await self._is_shown(erased):
            raise UnavailableError("the store lags behind")

    async def _is_shown(self, erased: Message) -> bool:
        (summary,) = await self.live.summaries(erased.sender_id, [erased.conversation_id])
        last = summary.last
        if last is None or last.sender_id != erased.sender_id:
            return False
        return last.sequence <= erased.sequence and not last.is_erased
