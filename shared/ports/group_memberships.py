"""Which SignalR groups each user was put into: a part of live state."""

from collections.abc import Iterable
from typing import Protocol

from shared.domain.ids import UserId
from shared.domain.seats import Seat
from shared.ports.calls import Call, CallState


class GroupMemberships(Protocol):
    """The group memberships ("seats") of users. Each method is one round trip.

    `shared/domain/seats.py` tells why the chat remembers what SignalR Service also remembers.
    """

    async def enter_connection(self, call: Call) -> tuple[CallState, list[Seat] | None]:
        """Enter, and return the user's seats in groups; None when they are lost."""
        ...

    async def fill_seats(self, user_id: UserId, seats: Iterable[Seat]) -> None:
        """Note all seats of a user; from then on they count as complete."""
        ...

    async def take_seat(self, user_ids: Iterable[UserId], seat: Seat) -> None:
        """Note one more seat, not sure yet, of each user whose seats are complete."""
        ...

    async def renew_seats(self, user_id: UserId, seats: Iterable[Seat]) -> list[Seat] | None:
        """Note that the user was just put into these groups; return all seats as they are then.

        A seat that is gone by now stays gone: the user has left that group meanwhile. Returns None
        when the user's seats are lost.
        """
        ...
