"""Heads and receipts of conversations: a part of live state."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from shared.domain.conversations.conversation import Conversation
from shared.domain.ids import ConnectionId, ConversationId, SequenceNumber, UserId
from shared.domain.live import NO_EPOCH, Epoch, Head
from shared.domain.messages.message import Message
from shared.domain.messages.receipt import Receipt
from shared.ports.live_state.calls import Call, CallState
from shared.ports.live_state.epochs import Epochs

Outcome = Literal["moved", "unchanged", "beyond", "stale", "unknown"]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """How live state took an acknowledgement.

    Args:
        outcome: `moved` or `unchanged`; `beyond` when it lies past the head that live state
            knows; `stale` when the caller's conversation version is not live state's; `unknown`
            when live state has lost the conversation.
    """

    outcome: Outcome
    receipt: Receipt
    head: SequenceNumber


class SenderErasedError(Exception):
    """A message with content was stored by a sender who is erased."""


class ConversationHeads(Epochs, Protocol):
    """The newest message, version and receipts of each conversation. Each method is one round trip.

    All of it is derived from the stores and may be lost. `Head.is_cached` tells whether what was
    read can be trusted; where it cannot, the caller reads the store and seeds what it read.
    """

    async def enter_conversation(
        self, call: Call, conversation_id: ConversationId
    ) -> tuple[CallState, Head]:
        """Enter, and read the conversation's head and version."""
        ...

    async def record_sent(
        self,
        message: Message,
        members: Iterable[UserId],
        *,
        connection_id: ConnectionId | None = None,
    ) -> bool:
        """Raise the head, the sender's own receipt, and every member's inbox and activity.

        Return whether the sender has live connections beside *connection_id*. That is read after
        the message was stored: a device that connects too late for the push finds it by a sync.

        Raises:
            SenderErasedError: The sender was erased while the message was on its way to the store.
                It is recorded; the caller, which stored it, empties it.
        """
        ...

    async def raise_heads(self, newest: Sequence[Message]) -> list[bool]:
        """Raise the heads of known conversations to these messages; return which were behind."""
        ...

    async def acknowledge(
        self,
        call: Call,
        conversation: Conversation,
        *,
        delivered: SequenceNumber,
        read: SequenceNumber,
        now: datetime,
    ) -> tuple[CallState, Acknowledged]:
        """Enter, and merge the watermarks if the conversation is known at this version."""
        ...

    async def seed(
        self,
        conversation: Conversation,
        newest: Message | None,
        receipts: Iterable[Receipt],
        *,
        flushed: int = 0,
        epoch: Epoch = NO_EPOCH,
    ) -> None:
        """Merge the stored state of a conversation, by maximum, with the live state there is.

        Args:
            flushed: The stamp of the flush that *receipts* are of; 0 for none.
            epoch: Makes the conversation known in this epoch. The caller read the epoch before it
                read the store, so a loss between the two leaves the conversation unknown. By
                default the call merges alone.
        """
        ...

    async def head(self, conversation_id: ConversationId) -> Head: ...

    async def receipts(
        self, ids: Sequence[ConversationId]
    ) -> list[tuple[Head, dict[UserId, Receipt]]]: ...

    async def set_version(self, conversation_id: ConversationId, version: int) -> None:
        """Raise the version that caches are compared with."""
        ...
