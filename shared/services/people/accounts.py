"""Users: who calls, whom they know, whom they block, and what their notifications tell."""

import logging
from dataclasses import dataclass, replace

from shared.domain.errors import InvalidError, UnavailableError, UserNotFoundError
from shared.domain.events import Effect, LeaveGroup
from shared.domain.ids import UserId
from shared.domain.people.presence import Presence, unknown
from shared.domain.people.user import PreviewLevel, Principal, User, blocks_between
from shared.ports import Call, PresenceStore, UserStore
from shared.services.admission.admission import Admission
from shared.services.conversations.group_members import GroupMembers
from shared.services.people.block_presence import show_block
from shared.services.people.people import People
from shared.services.people.user_writer import UserWriter
from shared.services.presence.presence_news import list_known

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Contact:
    """A user whom the caller knows, with the presence that the caller may see."""

    user: User
    presence: Presence


@dataclass(frozen=True, slots=True)
class Profile:
    """What the website says of one of its users."""

    user_id: UserId
    display_name: str
    avatar_url: str
    contacts: tuple[UserId, ...]
    blocked: tuple[UserId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Keeps chat's read model of the website's users."""

    admission: Admission
    users: UserStore
    writer: UserWriter
    people: People
    presence: PresenceStore
    groups: GroupMembers

    async def me(self, call: Call, principal: Principal) -> User:
        """Return the caller's user, created from their proof if the website has not fed it yet.

        Raises:
            AccountErasedError: The user was erased.
            RateLimitedError: The caller's bucket is empty.
        """
        await self.admission.admit(call)
        return await self.writer.ensure(principal)

    async def ensure(self, principal: Principal) -> User:
        """Return the user that *principal* proves, created now if they are new.

        Raises:
            AccountErasedError: The user was erased; a token they still hold no longer counts.
        """
        return await self.writer.ensure(principal)

    async def contacts(self, call: Call) -> list[Contact]:
        """Return the caller's contacts with their presence, also those behind a block.

        Across a block the presence is shown as unknown.

        Raises:
            RateLimitedError: The caller's bucket is empty.
        """
        await self.admission.admit(call)
        me = await self.users.find(call.user_id)
        if me is None or not me.contacts:
            return []
        users = [user for user in await self.users.find_many(me.contacts) if not user.erased]
        visible = [user.id for user in users if not blocks_between(me, user)]
        presences = await list_known(self.presence, visible)
        order = {user_id: place for place, user_id in enumerate(me.contacts)}
        users.sort(key=lambda user: order[user.id])
        return [Contact(user, presences.get(user.id) or unknown(user.id)) for user in users]

    async def feed(self, profiles: list[Profile]) -> None:
        """Take over what the website says; subscriptions and settings stay the user's own.

        An erased user stays erased, however late a profile comes.
        """
        for profile in profiles:
            await self._feed(profile)

    async def block(self, call: Call, other: UserId, *, blocked: bool) -> list[Effect]:
        """Put or lift the caller's block of *other*, at once and on open connections too.

        Raises:
            UserNotFoundError: There is no such user.
            InvalidError: The caller names themselves.
        """
        if other == call.user_id:
            raise InvalidError("userId: you cannot block yourself")
        effects = await self.admission.admit(call)
        if await self.users.find(other) is None:
            raise UserNotFoundError("no such user")
        await self.writer.ensure(Principal(call.user_id))

        def change(user: User) -> User:
            others = tuple(blocked_id for blocked_id in user.blocked if blocked_id != other)
            return replace(user, blocked=(*others, other) if blocked else others)

        await self.writer.change(call.user_id, change)
        return effects + await self._carry_block(call.user_id, other, blocked=blocked)

    async def set_preview(self, call: Call, preview: PreviewLevel) -> User:
        """Choose how much a notification tells."""
        await self.admission.admit(call)
        await self.writer.ensure(Principal(call.user_id))
        return await self.writer.change(call.user_id, lambda user: replace(user, preview=preview))

    async def _feed(self, profile: Profile) -> None:
        fresh = User(
            profile.user_id,
            profile.display_name,
            profile.avatar_url,
            contacts=profile.contacts,
            blocked=profile.blocked,
        )
        if await self.users.add(fresh) is None:

            def change(user: User) -> User:
                return replace(
                    user,
                    display_name=profile.display_name,
                    avatar_url=profile.avatar_url,
                    contacts=profile.contacts,
                    blocked=tuple(dict.fromkeys((*user.blocked, *profile.blocked))),
                )

            if (await self.writer.change(profile.user_id, change)).erased:
                return
        for other in profile.blocked:
            await self.people.set_block(profile.user_id, other, blocked=True)

    async def _carry_block(self, one: UserId, other: UserId, *, blocked: bool) -> list[Effect]:
        acquainted = await self.people.set_block(one, other, blocked=blocked)
        effects = await show_block(
            self.users, self.presence, (one, other), blocked=blocked, acquainted=acquainted
        )
        # The output binding stops at a connection that is gone, and would drop the pushes behind
        # it. So connections leave groups by calls of the service's REST API.
        try:
            await self.groups.leave(effect for effect in effects if isinstance(effect, LeaveGroup))
        except UnavailableError as error:
            logger.warning("a blocked user's connections may still watch: %s", error)
        return [effect for effect in effects if not isinstance(effect, LeaveGroup)]
