"""Storing a message: in the store first, then in live state, and emptied again if need be."""

import logging
from dataclasses import dataclass

from shared.domain.conversations.conversation import Conversation
from shared.domain.errors import UnavailableError
from shared.domain.ids import ConnectionId, SequenceNumber
from shared.domain.live import Head
from shared.domain.messages.message import Message
from shared.ports import ConversationHeads, SenderErasedError
from shared.services.conversations.reader import ConversationReader
from shared.services.locks import ConversationLocks
from shared.services.messages.sequencer import Sequencer, Stored
from shared.services.user_data.message_eraser import MessageEraser

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageWriter:
    """Stores messages and records them in live state."""

    reader: ConversationReader
    sequencer: Sequencer
    live: ConversationHeads
    eraser: MessageEraser
    locks: ConversationLocks

    async def store(self, message: Message, head: Head, *, retry: bool) -> Stored:
        """Store *message* at the next free sequence, or find it stored already.

        Messages of one conversation that pass through this worker at the same time wait for each
        other here. Without that they would propose the same sequence, and all but one would go to
        the store in vain. It is no more than that: between workers the store's unique ids decide
        (`Sequencer`).

        Raises:
            UnavailableError: The store did not answer; the message may be stored.
        """
        async with self.locks.hold(message.conversation_id):
            newest = max(head.sequence, self.reader.local_head(message.conversation_id))
            stored = await self.sequencer.store(message, head=SequenceNumber(newest), retry=retry)
            self.reader.raise_head(message.conversation_id, stored.message.sequence)
            return stored

    async def record(
        self, message: Message, conversation: Conversation, connection_id: ConnectionId | None
    ) -> bool:
        """Record a stored message; return whether its sender may have other connections.

        The sender may be erased after the call was admitted, while the message is on its way to the
        store. So live state is asked again in the round trip that records the message. Of an erased
        sender the message is emptied here, and nobody is told of it. Should this worker die before
        that, the change feed brings the message to `MessageEraser.empty_late`. Proved by
        tests/integration/services/test_erasure_races.py.

        Raises:
            SenderErasedError: The sender is erased; the message is emptied.
            UnavailableError: The message could not be emptied.
        """
        try:
            return await self.live.record_sent(
                message, conversation.member_ids, connection_id=connection_id
            )
        except UnavailableError:
            # The message is stored. Members find it by sync and by notification; the change feed
            # raises the head that live state has.
            logger.warning("message stored, live state not told: %s", message.conversation_id)
            return True
        except SenderErasedError:
            await self.eraser.empty([message])
            raise
