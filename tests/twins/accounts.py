"""The twin of what live state remembers of accounts."""

from collections.abc import Sequence
from typing import override

from shared.domain.ids import UserId
from shared.ports import AccountState, AccountStates
from tests.twins.redis_data import RedisTwinPart


class MemoryAccountStates(RedisTwinPart, AccountStates):
    """Fulfils `AccountStates`."""

    @override
    async def list_states(self, user_ids: Sequence[UserId]) -> list[AccountState]:
        if not user_ids:
            return []
        async with self.link.call("list_states"):
            return [self.redis.account(user) for user in user_ids]

    @override
    async def note_open(self, user_ids: Sequence[UserId]) -> None:
        if user_ids:
            async with self.link.call("note_open"):
                for user in user_ids:
                    self.redis.data.accounts.setdefault(user, "open")

    @override
    async def note_erased(self, user_ids: Sequence[UserId]) -> None:
        if user_ids:
            async with self.link.call("note_erased"):
                self.redis.data.accounts.update(dict.fromkeys(user_ids, "erased"))

    @override
    async def note_erasing(self, user_id: UserId) -> None:
        async with self.link.call("note_erasing"):
            if self.redis.account(user_id) != "erased":
                self.redis.data.accounts[user_id] = "erasing"
