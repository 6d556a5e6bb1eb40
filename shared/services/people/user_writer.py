"""Users as the store keeps them, for the services that change them."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.domain.errors import AccountErasedError, UserNotFoundError
from shared.domain.ids import UserId
from shared.domain.people.user import Principal, User
from shared.ports import UserStore
from shared.services.retrying import change_stored


@dataclass(frozen=True, slots=True, kw_only=True)
class UserWriter:
    """Creates and changes users."""

    users: UserStore

    async def ensure(self, principal: Principal) -> User:
        """Return the user that *principal* proves, created now if they are new.

        Raises:
            AccountErasedError: The user was erased; a token they still hold no longer counts.
        """
        user = await self.users.find(principal.user_id)
        if user is None:
            name = principal.display_name or principal.user_id
            fresh = User(principal.user_id, name, principal.avatar_url)
            user = await self.users.add(fresh) or await self._get(principal.user_id)
        if user.erased:
            raise AccountErasedError
        return user

    async def change(self, user_id: UserId, change: Callable[[User], User]) -> User:
        """Store what *change* makes of the user, and return it; an erased user stays as they are.

        Raises:
            UserNotFoundError: There is no such user.
            UnavailableError: The store did not answer, or others change the user all the time.
        """

        async def changed(user: User) -> User:
            return user if user.erased else change(user)

        _, after = await change_stored(
            "the user", load=lambda: self._get(user_id), change=changed, store=self.users.replace
        )
        return after

    async def _get(self, user_id: UserId) -> User:
        user = await self.users.find(user_id)
        if user is None:
            raise UserNotFoundError("no such user")
        return user
