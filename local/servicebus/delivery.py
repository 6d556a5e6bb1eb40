"""A message on its way: the states it is in, what may become of it, and how it is handed out."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple

from local.servicebus.due_times import Entry
from local.servicebus.message import Content, Marks


class State(IntEnum):
    """As `x-opt-message-state` counts them."""

    ACTIVE = 0
    SCHEDULED = 2


class Outcome(Enum):
    COMPLETE = "completed"
    ABANDON = "abandoned"
    DEAD_LETTER = "suspended"
    RELEASE = "released"


class DeadLetterReason(NamedTuple):
    """Why a message was dead-lettered."""

    code: str | None = None
    description: str | None = None


NO_REASON = DeadLetterReason()
TOO_OFTEN = DeadLetterReason(
    "MaxDeliveryCountExceeded",
    "Message could not be consumed after the maximum number of delivery attempts.",
)
TOO_OLD = DeadLetterReason("TTLExpiredException", "The message expired and was dead lettered.")


@dataclass(slots=True)
class Message:
    """A message without its content.

    Args:
        enqueued_ms: When it became, or (while scheduled) will become, available.
        token: The lock that is on it, if one is.

    """

    sequence_number: int
    state: State
    delivery_count: int
    enqueued_ms: int
    ttl_ms: int | None
    token: uuid.UUID | None = None
    locked_until_ms: int = 0

    @property
    def expires_ms(self) -> int | None:
        return None if self.ttl_ms is None else self.enqueued_ms + self.ttl_ms

    def due_times(self, *, expires: bool) -> Iterator[Entry]:
        """Yield when to look at this message again; *expires* says whether its queue lets it."""
        if self.token is not None:
            yield self.locked_until_ms, self.sequence_number
        if self.state is State.SCHEDULED:
            yield self.enqueued_ms, self.sequence_number
        if expires and self.expires_ms is not None:
            yield self.expires_ms, self.sequence_number


class Delivery(NamedTuple):
    """A message handed out. *token* is None when it was deleted in the same breath."""

    token: uuid.UUID | None
    content: Content
    marks: Marks


@dataclass(slots=True)
class Counters:
    """Since the process started."""

    sent: int = 0
    completed: int = 0
    dead_lettered: int = 0
