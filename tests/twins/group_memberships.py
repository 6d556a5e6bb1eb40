"""The twin of group memberships ("group memberships")."""

from collections.abc import Iterable
from typing import override

from shared.domain.conversations.group_memberships import GroupMembership
from shared.domain.ids import UserId
from shared.ports import Call, CallState, GroupMemberships
from tests.twins.redis_data import RedisTwinPart


class MemoryGroupMemberships(RedisTwinPart, GroupMemberships):
    """Fulfils `GroupMemberships`."""

    @override
    async def enter_connection(self, call: Call) -> tuple[CallState, list[GroupMembership] | None]:
        async with self.link.call("enter_connection"):
            return self.redis.enter(call), self._complete(call.user_id)

    @override
    async def fill_group_memberships(
        self, user_id: UserId, group_memberships: Iterable[GroupMembership]
    ) -> None:
        async with self.link.call("fill_group_memberships"):
            self.redis.data.group_memberships.setdefault(user_id, {})
            for group_membership in group_memberships:
                self._add(user_id, group_membership)

    @override
    async def add_group_membership(
        self, user_ids: Iterable[UserId], group_membership: GroupMembership
    ) -> None:
        async with self.link.call("add_group_membership"):
            for user_id in user_ids:
                self._add(user_id, group_membership)
                self.redis.data.unconfirmed[user_id].add(group_membership.conversation_id)

    @override
    async def renew_group_memberships(
        self, user_id: UserId, group_memberships: Iterable[GroupMembership]
    ) -> list[GroupMembership] | None:
        async with self.link.call("renew_group_memberships"):
            taken = self.redis.data.group_memberships.get(user_id, {})
            for group_membership in group_memberships:
                if group_membership.conversation_id in taken:
                    self._add(user_id, group_membership)
                self.redis.data.unconfirmed[user_id].discard(group_membership.conversation_id)
            return self._complete(user_id)

    def _complete(self, user_id: UserId) -> list[GroupMembership] | None:
        group_memberships, unconfirmed = (
            self.redis.data.group_memberships.get(user_id),
            self.redis.data.unconfirmed[user_id],
        )
        if group_memberships is None:
            return None
        return [
            GroupMembership(one, at, one not in unconfirmed)
            for one, at in group_memberships.items()
        ]

    def _add(self, user_id: UserId, group_membership: GroupMembership) -> None:
        group_memberships = self.redis.data.group_memberships.get(user_id)
        if group_memberships is not None:  # see `raise_inbox`
            before = group_memberships.get(
                group_membership.conversation_id, group_membership.joined_at
            )
            group_memberships[group_membership.conversation_id] = max(
                before, group_membership.joined_at
            )
