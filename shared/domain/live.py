"""How far the live state of a conversation can be trusted: its head, and the epoch it is of."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

from shared.domain.ids import NO_SEQUENCE, Sequence

Epoch = NewType("Epoch", str)
"""The name of a time in which live state lost nothing: a random whole number in digits."""

NO_EPOCH = Epoch("")


@dataclass(frozen=True, slots=True)
class Head:
    """The hot end of a conversation.

    Args:
        known: False when live state has lost this conversation, or the store has not confirmed it
            in this epoch; then nothing else counts.
        at: When its newest message was sent; None before the first.
        epoch: Live state's epoch at the reading, known head or not; empty where none was told.
    """

    known: bool = False
    sequence: Sequence = NO_SEQUENCE
    version: int = 0
    at: datetime | None = None
    epoch: Epoch = field(default=NO_EPOCH, compare=False)
