"""Users: who calls, whom they know, whom they block, and where their notifications go."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from shared.domain.errors import (
    AccountErasedError,
    InvalidError,
    UnavailableError,
    UserNotFoundError,
)
from shared.domain.events import Effect, LeaveGroup
from shared.domain.ids import UserId
from shared.domain.presence import Presence, unknown
from shared.domain.user import (
    MAX_SUBSCRIPTIONS,
    PreviewLevel,
    Principal,
    Subscription,
    User,
    blocks_between,
)
from shared.ports import Call, PresenceStore, UserStore, VersionConflictError
from shared.services.block_presence import list_known, show_block
from shared.services.conversations import Conversations
from shared.services.gate import Gate
from shared.services.group_members import GroupMembers
from shared.services.retrying import attempts

logger = logging.getLogger(__name__)

_TRIES: Final = 8


@dataclass(frozen=True, slots=True)
class Contact:
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


@dataclass(frozen=True, slots=True)
class Accounts:
    """Keeps chat's read model of the website's users."""

    gate: Gate
    users: UserStore
    presence: PresenceStore
    conversations: Conversations
    groups: GroupMembers

    async def me(self, call: Call, principal: Principal) -> User:
        """Return the caller's user, made from their proof if the website has not fed it yet."""
        await self.gate.enter(call)
        return await self.ensure(principal)

    async def ensure(self, principal: Principal) -> User:
        """Return the user whom *principal* proves, made now if they are new.

        Raises:
            AccountErasedError: The user was erased; a token they still hold counts no more.
        """
        found = await self.users.find(principal.user_id)
        if found is None:
            name = principal.display_name or principal.user_id
            fresh = User(principal.user_id, name, principal.avatar_url)
            found = await self.users.add(fresh) or await self._get(principal.user_id)
        if found.erased:
            raise AccountErasedError
        return found

    async def contacts(self, call: Call) -> list[Contact]:
        """Return the caller's contacts with their presence, those that block or are blocked too.

        Raises:
            RateLimitedError: The caller's bucket is empty.
        """
        await self.gate.enter(call)
        me = await self.users.find(call.user_id)
        if me is None or not me.contacts:
            return []
        found = await self.users.find_many(me.contacts)
        known = [user for user in found if not user.erased]
        visible = [user.id for user in known if not blocks_between(me, user)]
        seen = await list_known(self.presence, visible)
        order = {user_id: i for i, user_id in enumerate(me.contacts)}
        known.sort(key=lambda user: order[user.id])
        return [Contact(user, seen.get(user.id) or unknown(user.id)) for user in known]

    async def feed(self, profiles: list[Profile]) -> None:
        """Take over what the website says; subscriptions and settings stay the user's own.

        Who was erased stays so, whatever comes late.
        """
        for profile in profiles:
            await self._take(profile)

    async def block(self, call: Call, other: UserId, *, blocked: bool) -> list[Effect]:
        """Put or lift the caller's block of *other*, at once and on open connections too.

        Raises:
            UserNotFoundError: There is no such user.
            InvalidError: Nobody blocks themselves.
        """
        if other == call.user_id:
            raise InvalidError("userId: you cannot block yourself")
        effects = await self.gate.enter(call)
        if await self.users.find(other) is None:
            raise UserNotFoundError("no such user")
        await self.ensure(Principal(call.user_id))

        def change(user: User) -> User:
            others = tuple(one for one in user.blocked if one != other)
            return replace(user, blocked=(*others, other) if blocked else others)

        await self._update(call.user_id, change)
        return effects + await self._carry(call.user_id, other, blocked=blocked)

    async def subscribe(self, call: Call, subscription: Subscription) -> None:
        """Remember where one device's notifications go; the oldest of too many is forgotten.

        An endpoint belongs to one user: whoever subscribed it before, in the same browser, is
        notified there no more.

        Raises:
            AccountErasedError: The user was erased.
        """
        await self.gate.enter(call)
        await self.ensure(Principal(call.user_id))
        await self._take_endpoint(call.user_id, subscription.endpoint)
        forgotten: list[Subscription] = []

        def change(user: User) -> User:
            forgotten.clear()
            if user.erased or subscription in user.subscriptions:
                return user
            # One device, one entry: the same endpoint under a new id replaces the old one.
            others = [one for one in user.subscriptions if one.endpoint != subscription.endpoint]
            named = [one for one in others if one.id != subscription.id]
            kept = named[-(MAX_SUBSCRIPTIONS - 1) :]
            forgotten.extend(one for one in others if one not in kept)
            return replace(user, subscriptions=(*kept, subscription))

        user = await self._update(call.user_id, change)
        for one in forgotten:
            await self.users.release_endpoint(one.endpoint, call.user_id)
        if user.erased:
            await self.users.release_endpoint(subscription.endpoint, call.user_id)
            raise AccountErasedError
        if await self.users.find_endpoint_owner(subscription.endpoint) != call.user_id:
            await self._drop_endpoint(call.user_id, subscription.endpoint)

    async def unsubscribe(self, call: Call, subscription_id: str) -> None:
        await self.gate.enter(call)
        await self.drop_subscription(call.user_id, subscription_id)

    async def drop_subscription(self, user_id: UserId, subscription_id: str) -> None:
        """Forget a device, at its user's wish or because its push service says it is gone."""
        user = await self.users.find(user_id)
        for one in user.subscriptions if user else ():
            if one.id == subscription_id:
                await self.users.release_endpoint(one.endpoint, user_id)
                await self._drop_endpoint(user_id, one.endpoint)

    async def set_preview(self, call: Call, preview: PreviewLevel) -> User:
        """Choose how much a notification tells."""
        await self.gate.enter(call)
        await self.ensure(Principal(call.user_id))
        return await self._update(call.user_id, lambda user: replace(user, preview=preview))

    async def _take(self, profile: Profile) -> None:
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

            if (await self._update(profile.user_id, change)).erased:
                return
        for other in profile.blocked:
            await self.conversations.set_block(profile.user_id, other, blocked=True)

    async def _carry(self, one: UserId, other: UserId, *, blocked: bool) -> list[Effect]:
        acquainted = await self.conversations.set_block(one, other, blocked=blocked)
        effects = await show_block(
            self.users, self.presence, (one, other), blocked=blocked, acquainted=acquainted
        )
        # Connections that are gone must not stop the pushes: they leave by calls of our own.
        try:
            await self.groups.leave(each for each in effects if isinstance(each, LeaveGroup))
        except UnavailableError as error:
            logger.warning("a blocked user's connections may still watch: %s", error)
        return [each for each in effects if not isinstance(each, LeaveGroup)]

    async def _take_endpoint(self, user_id: UserId, endpoint: str) -> None:
        """Make *user_id* the owner of an endpoint, and take it off the former owner.

        Two users may subscribe one endpoint at the same time. The owner's item decides: each claim
        names the owner it follows. The former owner's entry goes before the claim, so that a crash
        between leaves nothing that a repeat would not mend; and after it once more, for an entry
        that the former owner wrote in between. Whoever loses finds that out when they look at the
        owner after writing their entry (`subscribe`), and takes it back.
        """
        for _ in range(_TRIES):
            owner = await self.users.find_endpoint_owner(endpoint)
            if owner == user_id:
                return
            if owner is not None:
                await self._drop_endpoint(owner, endpoint)
            if await self.users.claim_endpoint(endpoint, user_id, after=owner):
                if owner is not None:
                    await self._drop_endpoint(owner, endpoint)
                return
        raise UnavailableError("the device is being subscribed")

    async def _drop_endpoint(self, user_id: UserId, endpoint: str) -> None:
        def change(user: User) -> User:
            kept = tuple(one for one in user.subscriptions if one.endpoint != endpoint)
            return user if kept == user.subscriptions else replace(user, subscriptions=kept)

        if await self.users.find(user_id) is not None:
            await self._update(user_id, change)

    async def _update(self, user_id: UserId, change: Callable[[User], User]) -> User:
        async for _ in attempts("the user"):
            user = await self._get(user_id)
            if user.erased:
                return user  # erased meanwhile: nothing is taken over any more
            changed = change(user)
            if changed is user:
                return user
            try:
                return await self.users.replace(changed)
            except VersionConflictError:
                continue
        raise AssertionError  # the attempts end by themselves

    async def _get(self, user_id: UserId) -> User:
        user = await self.users.find(user_id)
        if user is None:
            raise UserNotFoundError("no such user")
        return user
