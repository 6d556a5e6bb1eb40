"""Who is erased: the users' store decides, live state remembers what it said.

Every call and every stored message asks this, so it must cost nothing for ordinary users: the
answer comes with the round trip to live state that a call makes anyway. Only what live state does
not remember is looked up in the store: each user once a day, and everybody once after live state
was lost. So losing live state brings no erased user back.

A look that was under way when the user was erased finds them open, and may note that late. It
cannot hide the erasure: an account noted erased is never noted open, and every step of an erasure
notes it again.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.domain.ids import UserId
from shared.ports import AccountState, AccountStates, UserStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedUsers:
    """Tells erased users from others."""

    users: UserStore
    states: AccountStates

    async def among(self, user_ids: Iterable[UserId]) -> set[UserId]:
        """Return those of *user_ids* who are erased: one round trip when all are remembered.

        Who is just being erased is not among them: the erasure looks for what they sent, and its
        receipt counts it.

        Raises:
            UnavailableError: Live state is down, or the store.
        """
        asked = list(dict.fromkeys(user_ids))
        states = dict(zip(asked, await self.states.list_states(asked), strict=True))
        erased = {user for user, state in states.items() if state == "erased"}
        return erased | await self._looked_up([u for u, one in states.items() if one == "unknown"])

    async def is_erased(self, user_id: UserId, state: AccountState) -> bool:
        """Tell what *state* means: the store decides where live state does not know.

        Raises:
            UnavailableError: The store is down, or live state is meanwhile.
        """
        if state == "unknown":
            return bool(await self._looked_up([user_id]))
        return state == "erased"

    async def note(self, user_id: UserId, *, done: bool) -> None:
        """Remember an erasure that the store has; *done* once all that was there is emptied."""
        if done:
            await self.states.note_erased([user_id])
        else:
            await self.states.note_erasing(user_id)

    async def _looked_up(self, user_ids: list[UserId]) -> set[UserId]:
        if not user_ids:
            return set()
        found = await self.users.find_many(user_ids)
        erased = {user.id for user in found if user.erased}
        await self.states.note_erased(sorted(erased))
        await self.states.note_open([user for user in user_ids if user not in erased])
        return erased
