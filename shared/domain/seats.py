"""Seats: a user's places in SignalR groups, of which the service forgets the oldest.

The service keeps a user's latest 100 groups, for a year, and puts new connections into those. A
user of more is put into the forgotten ones connection by connection, and what nears its year is
renewed in time. Source: reference of SignalR Service's group management; docs/architecture.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.ids import ConversationId

REMEMBERED: Final = 90  # of the service's 100: joins under way must not push others out unseen
RENEWED_AFTER: Final = timedelta(days=300)


@dataclass(frozen=True, slots=True)
class Seat:
    """A group conversation, and when its user was last put into its SignalR group.

    Args:
        sure: A connection has renewed it since. Until then it may be noted and yet not taken: the
            join leaves with the invocation's other effects, and a crash can take those along.
    """

    conversation_id: ConversationId
    taken_at: datetime
    sure: bool = True


@dataclass(frozen=True, slots=True)
class SeatPlan:
    """What a new connection needs.

    Args:
        join: Groups this one connection joins by itself.
        renew: Groups the user is put into anew.
    """

    join: tuple[ConversationId, ...]
    renew: tuple[ConversationId, ...]


def plan(seats: Iterable[Seat], *, now: datetime) -> SeatPlan:
    """Return what the service does not do by itself for a new connection."""
    newest_first = sorted(seats, key=lambda seat: seat.taken_at, reverse=True)
    remembered, forgotten = newest_first[:REMEMBERED], newest_first[REMEMBERED:]
    return SeatPlan(
        join=tuple(seat.conversation_id for seat in forgotten),
        renew=tuple(
            seat.conversation_id
            for seat in remembered
            if not seat.sure or now - seat.taken_at > RENEWED_AFTER
        ),
    )
