"""Storing a message: in the store first, then in live state, and emptied again if need be."""

import logging
from dataclasses import dataclass

from shared.domain.conversation import Conversation
from shared.domain.errors import UnavailableError
from shared.domain.ids import ConnectionId, Sequence
from shared.domain.live import Head
from shared.domain.message import Message
from shared.ports import ConversationHeads, SenderErasedError
from shared.services.message_eraser import MessageEraser
from shared.services.reader import ConversationReader
from shared.services.sequencer import Sequencer, Stored
from shared.services.turns import Turns

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageWriter:
    """Stores messages and records them in live state."""

    reader: ConversationReader
    sequencer: Sequencer
    live: ConversationHeads
    eraser: MessageEraser
    turns: Turns

    async def store(self, message: Message, head: Head, *, retry: bool) -> Stored:
        """Store *message* at the next free sequence, or find it stored already.

        Messages of one conversation that pass through this worker at the same time wait for each
        other here. Without that they would propose the same sequence, and all but one would go to
        the store in vain. It is no more than that: between workers the store's unique ids decide
        (`Sequencer`).

        Raises:
            UnavailableError: The store did not answer; the message may be stored.
        """
        async with self.turns.of(message.conversation_id):
            newest = max(head.sequence, self.reader.local_head(message.conversation_id))
            stored = await self.sequencer.store(message, head=Sequence(newest), retry=retry)
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
