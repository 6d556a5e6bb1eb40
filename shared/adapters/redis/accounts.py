"""Which accounts are erased, in Redis: a cache of the users' store."""

from collections.abc import Sequence
from typing import Final, override

from shared.adapters.redis import keys
from shared.adapters.redis.client import RedisClient, call
from shared.adapters.redis.script import DAY_MS, Script
from shared.domain.ids import UserId
from shared.ports import AccountState, AccountStates

# An open account is looked up in the store once a day; an erased one is unknown after 90 days,
# and the store tells again.
_OPEN_MS: Final = DAY_MS
_ERASING_MS: Final = 3600 * 1000  # each step of an erasure says it again
_ERASED_MS: Final = 90 * DAY_MS

_STATES: Final[dict[bytes | None, AccountState]] = {
    b"open": "open",
    b"erasing": "erasing",
    b"erased": "erased",
}

# KEYS account; ARGV ms to keep.
#
# An erasure has several steps, and a step that was tried again may come after the last one. What is
# noted as erased stays so: the note is compared and written in one step.
# Proved by test_account_states_port.py
# (`test_what_is_not_remembered_is_unknown_and_erased_is_never_open`).
ERASING: Final = Script(
    """
if redis.call('GET', KEYS[1]) ~= 'erased' then
  redis.call('SET', KEYS[1], 'erasing', 'PX', ARGV[1])
end
"""
)


class RedisAccountStates(AccountStates):
    """Fulfils `AccountStates`."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    @override
    async def list_states(self, user_ids: Sequence[UserId]) -> list[AccountState]:
        if not user_ids:
            return []
        answers = await self._client.run(*(("GET", keys.account(user)) for user in user_ids))
        return [_STATES.get(answer, "unknown") for answer in answers]

    @override
    async def note_open(self, user_ids: Sequence[UserId]) -> None:
        if user_ids:
            await self._client.run(
                *(("SET", keys.account(user), "open", "NX", "PX", _OPEN_MS) for user in user_ids)
            )

    @override
    async def note_erased(self, user_ids: Sequence[UserId]) -> None:
        if user_ids:
            await self._client.run(
                *(("SET", keys.account(user), "erased", "PX", _ERASED_MS) for user in user_ids)
            )

    @override
    async def note_erasing(self, user_id: UserId) -> None:
        await self._client.run(call(ERASING, (keys.account(user_id),), _ERASING_MS))
