"""The first and the last step of an erasure: the user's account, and what is kept of them alone."""

import contextlib
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from shared.domain.errors import UnavailableError
from shared.domain.events import Effect, ToUser
from shared.domain.ids import UserId
from shared.domain.people.presence import Presence
from shared.domain.people.user import User, tombstone
from shared.ports import Callers, ConnectionHub, PresenceStore, UserStore
from shared.services.presence.presence_news import announce
from shared.services.retrying import change_stored
from shared.services.user_data.erased_users import ErasedUsers

logger = logging.getLogger(__name__)

_CLOSED: Final = "this account was erased"


@dataclass(slots=True)
class Tally:
    """Counts what a step of an erasure removes, and collects whom to tell."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    effects: list[Effect] = field(default_factory=list)

    def add(self, store: str, what: str, count: int = 1) -> None:
        """Count *count* things of a kind as removed from a store."""
        if count:
            self.counts[store, what] += count


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEraser:
    """Replaces an account by a tombstone, and forgets what no conversation holds."""

    users: UserStore
    erased: ErasedUsers
    live: Callers
    presence: PresenceStore
    hub: ConnectionHub

    async def erase(self, user: User, tally: Tally) -> None:
        """Replace the account by a tombstone, in the store first and then in live state.

        Raises:
            UnavailableError: A service did not answer; take this step again.
        """

        async def change(current: User | None) -> User | None:
            if current is None or current.erased:
                return current
            # First: once the subscriptions are gone, nothing names these items any more.
            for device in current.subscriptions:
                await self.users.release_endpoint(device.endpoint, current.id)
            return tombstone(current)

        async def replaced(changed: User | None) -> User | None:
            return changed and await self.users.replace(changed)

        before, after = await change_stored(
            "the user", load=lambda: self.users.find(user.id), change=change, store=replaced
        )
        if before is not None and after is not before:
            tally.add("cosmos/users", "profile and settings")
            tally.add("cosmos/users", "contacts", len(before.contacts))
            tally.add("cosmos/users", "blocks", len(before.blocked))
            tally.add("cosmos/users", "push subscriptions", len(before.subscriptions))
        await self.note(user.id, done=False)

    async def note(self, user_id: UserId, *, done: bool) -> None:
        """Note the tombstone in live state again, in case live state was lost between two steps.

        Args:
            done: The messages that were there are emptied: the account counts as erased, and no
                more as being erased.
        """
        await self.erased.note(user_id, done=done)

    async def forget(self, user_id: UserId, tally: Tally) -> None:
        """Close the user's connections, and delete what live state keeps of them alone.

        This is the last step: until now an open page is told of each conversation it must drop.

        Raises:
            UnavailableError: A service did not answer; take this step again.
        """
        await self.hub.close(ToUser(user_id), reason=_CLOSED)
        with contextlib.suppress(UnavailableError):
            tally.effects += await announce(self.presence, Presence(user_id, "offline", None))
        tally.add("redis", "keys of the user", await self.live.forget(user_id))
        logger.info("erased user=%s", user_id)
