"""Who is erased: the users' store decides, and live state remembers its answer.

Every call and every stored message asks this, so it must cost nothing for ordinary users. The
answer comes with the round trip to live state that a call makes anyway. Only users whom live state
does not remember are looked up in the store: each user once a day, and everybody once after live
state was lost. So the loss of live state brings no erased user back.

A look into the store may be under way while the user is erased. It finds the account open, and may
note that late. That cannot hide the erasure: an account that is noted as erased is never noted as
open, and every step of an erasure notes it again. Proved by
tests/integration/services/test_erasure_races.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.ids import UserId
from shared.ports import AccountState, AccountStates, UserStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedUsers:
    """Tells which users are erased."""

    users: UserStore
    states: AccountStates

    async def among(self, user_ids: Iterable[UserId]) -> set[UserId]:
        """Return those of *user_ids* who are erased: one round trip when live state knows all.

        A user who is just being erased is not among them. The erasure itself finds what they sent,
        and counts it.

        Raises:
            UnavailableError: Live state is down, or the store.
        """
        users = list(dict.fromkeys(user_ids))
        states = dict(zip(users, await self.states.list_states(users), strict=True))
        erased = {user for user in users if states[user] == "erased"}
        unknown = [user for user in users if states[user] == "unknown"]
        return erased | await self._look_up(unknown)

    async def is_erased(self, user_id: UserId, state: AccountState) -> bool:
        """Tell whether *state* means erased: the store decides where live state does not know.

        Raises:
            UnavailableError: The store is down, or live state is by now.
        """
        if state == "unknown":
            return bool(await self._look_up([user_id]))
        return state == "erased"

    async def note(self, user_id: UserId, *, done: bool) -> None:
        """Remember an erasure that the store has.

        Args:
            done: The messages that were there are emptied: the user is erased, and no more being
                erased.
        """
        if done:
            await self.states.note_erased([user_id])
        else:
            await self.states.note_erasing(user_id)

    async def _look_up(self, user_ids: list[UserId]) -> set[UserId]:
        if not user_ids:
            return set()
        users = await self.users.find_many(user_ids)
        erased = {user.id for user in users if user.erased}
        await self.states.note_erased(sorted(erased))
        await self.states.note_open([user for user in user_ids if user not in erased])
        return erased
