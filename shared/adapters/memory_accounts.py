"""The twin of what live state remembers of accounts."""

from collections.abc import Sequence as Series
from typing import override

from shared.adapters.memory_line import Line
from shared.adapters.memory_state import RedisTwin
from shared.domain.ids import UserId
from shared.domain.live import AccountState
from shared.ports import AccountStates


class MemoryAccountStates(AccountStates):
    """Fulfils `AccountStates`."""

    def __init__(self, redis: RedisTwin, *, line: Line | None = None) -> None:
        self.redis = redis
        self.line = line or Line()

    @override
    async def list_states(self, user_ids: Series[UserId]) -> list[AccountState]:
        if not user_ids:
            return []
        async with self.line.call("list_states"):
            return [self.redis.account(user) for user in user_ids]

    @override
    async def note_open(self, user_ids: Series[UserId]) -> None:
        if user_ids:
            async with self.line.call("note_open"):
                for user in user_ids:
                    self.redis.kept.accounts.setdefault(user, "open")

    @override
    async def note_erased(self, user_ids: Series[UserId]) -> None:
        if user_ids:
            async with self.line.call("note_erased"):
                self.redis.kept.accounts.update(dict.fromkeys(user_ids, "erased"))

    @override
    async def note_erasing(self, user_id: UserId) -> None:
        async with self.line.call("note_erasing"):
            if self.redis.account(user_id) != "erased":
                self.redis.kept.accounts[user_id] = "erasing"
