"""What a user sees of one conversation in their inbox."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.conversation import Conversation
from shared.domain.live import Head
from shared.domain.message import Message
from shared.domain.mute import UNSAID, Mute
from shared.domain.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation as live state and store have it, with the user's receipt and mute."""

    conversation: Conversation
    head: Head
    last: Message | None
    receipt: Receipt
    mute: Mute = UNSAID


@dataclass(frozen=True, slots=True)
class InboxItem:
    """A row as its user sees it. `muted_until` is None once it has passed."""

    row: Row
    unread_count: int
    muted_until: datetime | None = None

    @property
    def muted(self) -> bool:
        return self.muted_until is not None
