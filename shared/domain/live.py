"""A conversation's head in live state, and the epoch that tells whether to trust it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

from shared.domain.ids import NO_SEQUENCE, SequenceNumber

Epoch = NewType("Epoch", str)
"""The name of a period in which live state lost nothing: a random whole number in digits."""

NO_EPOCH = Epoch("")


@dataclass(frozen=True, slots=True)
class Head:
    """The newest message of a conversation, and the newest version of the conversation.

    Args:
        is_cached: False when live state has lost this conversation, or when nobody has confirmed it
            from the store in this epoch. Then only `epoch` means anything.
        at: When the newest message was sent; None before the first message.
        epoch: Live state's epoch when the head was read; empty where live state was not asked.
    """

    is_cached: bool = False
    sequence: SequenceNumber = NO_SEQUENCE
    version: int = 0
    at: datetime | None = None
    epoch: Epoch = field(default=NO_EPOCH, compare=False)
