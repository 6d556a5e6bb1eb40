"""Seats: a user's memberships of SignalR groups, of which the service forgets the oldest.

SignalR Service remembers the latest 100 groups of a user, for a year, and puts new connections into
those. The connections of a user with more groups are put into the other groups one by one, and a
membership that nears its year is renewed in time. Source: the reference of SignalR Service's group
management; docs/architecture.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.ids import ConversationId

REMEMBERED: Final = 90  # of 100: joins that are under way must not make the service forget one
RENEWED_AFTER: Final = timedelta(days=300)


@dataclass(frozen=True, slots=True)
class Seat:
    """A group conversation, and when its user was last put into its SignalR group.

    Args:
        sure: A connection has joined the group since. Until then the seat may be noted although the
            user was never put into the group, because a worker died between the two.
    """

    conversation_id: ConversationId
    taken_at: datetime
    sure: bool = True


@dataclass(frozen=True, slots=True)
class SeatPlan:
    """What a new connection needs.

    Args:
        join: Groups that only this connection is put into.
        renew: Groups that the user is put into once more.
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
