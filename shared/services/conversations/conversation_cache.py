"""What one worker remembers of conversations: copies, and which messages are stored for sure."""

import time
from collections import OrderedDict
from typing import Final

from shared.domain.conversations.conversation import Conversation
from shared.domain.ids import NO_SEQUENCE, ConversationId, SequenceNumber

_MAX_CACHED: Final = 20_000
_BELIEVED_S: Final = 60.0  # a copy is used for no longer, should live state name an old version


class ConversationCache:
    """Copies of conversations, and the sequences of messages that are stored for sure."""

    def __init__(self) -> None:
        self._copies: OrderedDict[ConversationId, tuple[Conversation, float]] = OrderedDict()
        self._trusted_from = -1.0  # copies that were read up to this moment are no longer used
        self._heads: OrderedDict[ConversationId, SequenceNumber] = OrderedDict()

    def find(self, conversation_id: ConversationId, version: int | None) -> Conversation | None:
        """Return a copy of *version* or a later one; None where there is none to be trusted.

        Args:
            version: None when nobody knows the newest version: then no copy can be trusted.
        """
        copy, read_at = self._copies.get(conversation_id, (None, 0.0))
        if copy is None or version is None or read_at <= self._trusted_from:
            return None
        if time.monotonic() - read_at > _BELIEVED_S:
            return None
        return copy if copy.version >= version else None

    def keep(self, conversation: Conversation) -> Conversation:
        """Keep *conversation* as it was just read or written; return the newest copy there is.

        A read may lag behind this worker's own writes and earlier reads, so a newer copy stays.
        """
        newer = self.find(conversation.id, conversation.version + 1)
        if newer is not None:
            return newer
        self._copies[conversation.id] = (conversation, time.monotonic())
        self._copies.move_to_end(conversation.id)
        if len(self._copies) > _MAX_CACHED:
            self._copies.popitem(last=False)
        return conversation

    def distrust(self) -> None:
        """Use no copy that was read until now, because live state was away or went back in time.

        While live state is away, a removal cannot name its new version there. Live state may come
        back with what it knew before. Then a copy from before the removal would pass for the newest
        copy, and the removed member would be let in. Proved by
        test_a_copy_from_before_an_outage_lets_nobody_in_after_it.
        """
        self._trusted_from = time.monotonic()

    def raise_head(self, conversation_id: ConversationId, sequence: SequenceNumber) -> None:
        """Remember a sequence that is stored, for as long as live state does not know it."""
        self._heads[conversation_id] = SequenceNumber(max(sequence, self.head(conversation_id)))
        self._heads.move_to_end(conversation_id)
        if len(self._heads) > _MAX_CACHED:
            self._heads.popitem(last=False)

    def head(self, conversation_id: ConversationId) -> SequenceNumber:
        """Return the newest sequence that this worker has seen stored; 0 when it has seen none."""
        return self._heads.get(conversation_id, NO_SEQUENCE)
