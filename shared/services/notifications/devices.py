"""Devices: where a user's notifications go. Each endpoint of a push service has one owner."""

from dataclasses import dataclass, replace

from shared.domain.errors import AccountErasedError
from shared.domain.ids import UserId
from shared.domain.people.user import MAX_SUBSCRIPTIONS, Principal, Subscription, User
from shared.ports import Call, UserStore
from shared.services.admission.admission import Admission
from shared.services.people.user_writer import UserWriter
from shared.services.retrying import attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """Subscribes devices to notifications, and forgets them."""

    admission: Admission
    users: UserStore
    writer: UserWriter

    async def subscribe(self, call: Call, subscription: Subscription) -> None:
        """Remember where one device's notifications go; the oldest of too many is forgotten.

        An endpoint belongs to one user. Whoever subscribed it before, in the same browser, gets no
        more notifications there.

        Raises:
            AccountErasedError: The user was erased.
        """
        await self.admission.admit(call)
        await self.writer.ensure(Principal(call.user_id))
        await self._take_endpoint(call.user_id, subscription.endpoint)
        forgotten: list[Subscription] = []

        def change(user: User) -> User:
            changed, forgotten[:] = _with_subscription(user, subscription)
            return changed

        user = await self.writer.change(call.user_id, change)
        for device in forgotten:
            await self.users.release_endpoint(device.endpoint, call.user_id)
        if user.erased:
            await self.users.release_endpoint(subscription.endpoint, call.user_id)
            raise AccountErasedError
        if await self.users.find_endpoint_owner(subscription.endpoint) != call.user_id:
            await self._drop_endpoint(call.user_id, subscription.endpoint)

    async def unsubscribe(self, call: Call, subscription_id: str) -> None:
        """Forget one of the caller's devices; nothing happens when there is no such device."""
        await self.admission.admit(call)
        await self.drop(call.user_id, subscription_id)

    async def drop(self, user_id: UserId, subscription_id: str) -> None:
        """Forget a device, because its user wants so or its push service says it is gone."""
        user = await self.users.find(user_id)
        for device in user.subscriptions if user else ():
            if device.id == subscription_id:
                await self.users.release_endpoint(device.endpoint, user_id)
                await self._drop_endpoint(user_id, device.endpoint)

    async def _take_endpoint(self, user_id: UserId, endpoint: str) -> None:
        """Make *user_id* the owner of an endpoint, and take it off the former owner.

        Two users may subscribe one endpoint at the same time. The owner's item decides between
        them: each claim names the owner that it follows. The former owner's entry is removed before
        the claim, so that a crash between the two leaves nothing that a repeat would not mend. It
        is removed once more after the claim, because the former owner may have written an entry in
        between. The user who loses sees that by looking at the owner after writing their own entry
        (`subscribe`), and removes the entry again. Proved by
        test_two_who_subscribe_one_endpoint_at_once_do_not_both_have_it.
        """
        async for _ in attempts("the device"):
            owner = await self.users.find_endpoint_owner(endpoint)
            if owner == user_id:
                return
            if owner is not None:
                await self._drop_endpoint(owner, endpoint)
            if await self.users.claim_endpoint(endpoint, user_id, after=owner):
                if owner is not None:
                    await self._drop_endpoint(owner, endpoint)
                return

    async def _drop_endpoint(self, user_id: UserId, endpoint: str) -> None:
        def change(user: User) -> User:
            kept = tuple(device for device in user.subscriptions if device.endpoint != endpoint)
            return user if kept == user.subscriptions else replace(user, subscriptions=kept)

        if await self.users.find(user_id) is not None:
            await self.writer.change(user_id, change)


def _with_subscription(user: User, subscription: Subscription) -> tuple[User, list[Subscription]]:
    """Return *user* with one more device, and the devices that had to make room for it.

    A device has one entry: its endpoint under a new id replaces the entry under the old id.
    """
    if user.erased or subscription in user.subscriptions:
        return user, []
    others = [device for device in user.subscriptions if device.endpoint != subscription.endpoint]
    kept = [device for device in others if device.id != subscription.id]
    kept = kept[-(MAX_SUBSCRIPTIONS - 1) :]
    forgotten = [device for device in others if device not in kept]
    return replace(user, subscriptions=(*kept, subscription)), forgotten
