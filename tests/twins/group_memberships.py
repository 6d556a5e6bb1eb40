"""The twin of group memberships ("seats")."""

from collections.abc import Iterable
from typing import override

from shared.domain.ids import UserId
from shared.domain.seats import Seat
from shared.ports import Call, CallState, GroupMemberships
from tests.twins.redis_data import RedisTwinPart


class MemoryGroupMemberships(RedisTwinPart, GroupMemberships):
    """Fulfils `GroupMemberships`."""

    @override
    async def enter_connection(self, call: Call) -> tuple[CallState, list[Seat] | None]:
        async with self.link.call("enter_connection"):
            return self.redis.enter(call), self._seats(call.user_id)

    @override
    async def fill_seats(self, user_id: UserId, seats: Iterable[Seat]) -> None:
        async with self.link.call("fill_seats"):
            self.redis.data.seats.setdefault(user_id, {})
            for seat in seats:
                self._take_seat(user_id, seat)

    @override
    async def take_seat(self, user_ids: Iterable[UserId], seat: Seat) -> None:
        async with self.link.call("take_seat"):
            for user_id in user_ids:
                self._take_seat(user_id, seat)
                self.redis.data.unsure[user_id].add(seat.conversation_id)

    @override
    async def renew_seats(self, user_id: UserId, seats: Iterable[Seat]) -> list[Seat] | None:
        async with self.link.call("renew_seats"):
            taken = self.redis.data.seats.get(user_id, {})
            for seat in seats:
                if seat.conversation_id in taken:
                    self._take_seat(user_id, seat)
                self.redis.data.unsure[user_id].discard(seat.conversation_id)
            return self._seats(user_id)

    def _seats(self, user_id: UserId) -> list[Seat] | None:
        seats, unsure = self.redis.data.seats.get(user_id), self.redis.data.unsure[user_id]
        if seats is None:
            return None
        return [Seat(one, at, one not in unsure) for one, at in seats.items()]

    def _take_seat(self, user_id: UserId, seat: Seat) -> None:
        seats = self.redis.data.seats.get(user_id)
        if seats is not None:  # see `raise_inbox`
            before = seats.get(seat.conversation_id, seat.taken_at)
            seats[seat.conversation_id] = max(before, seat.taken_at)
