"""A conversation as its member sees it in their inbox."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.conversations.conversation import Conversation
from shared.domain.conversations.mute import UNSAID, Mute
from shared.domain.live import Head
from shared.domain.messages.message import Message
from shared.domain.messages.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Row:
    """A conversation as live state and store have it, with one member's receipt and mute."""

    conversation: Conversation
    head: Head
    last: Message | None
    receipt: Receipt
    mute: Mute = UNSAID


@dataclass(frozen=True, slots=True)
class InboxItem:
    """A row as its member sees it.

    Args:
        muted_until: None when the member has not muted the conversation, or the time has passed.
    """

    row: Row
    unread_count: int
    muted_until: datetime | None = None

    @property
    def muted(self) -> bool:
        return self.muted_until is not None
