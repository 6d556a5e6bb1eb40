"""The SignalR groups of a new connection, where the service does not put it in by itself.

SignalR Service remembers the latest 100 groups of a user, for a year, and puts new connections into
those. Live state notes the groups of each user, so that a connection of a user with more groups can
join the others, and so that a join is renewed before the service forgets it (`domain/group
memberships.py`).
"""

from dataclasses import dataclass
from typing import Protocol

from shared.domain.conversations.group_memberships import GroupMembership, plan
from shared.domain.ids import ConnectionId, ConversationId, UserId, is_group_id
from shared.ports import Clock, GroupMemberships, InboxState, MembershipStore
from shared.services.conversations.group_members import GroupMembers
from shared.services.conversations.membership import Membership
from shared.services.conversations.reader import ConversationReader


class _LiveState(GroupMemberships, InboxState, Protocol):
    """The parts of live state that tell which groups a user is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionGroups:
    """Puts new connections into the SignalR groups of their user's conversations."""

    reader: ConversationReader
    live: _LiveState
    memberships: MembershipStore
    membership: Membership
    groups: GroupMembers
    clock: Clock

    async def join(
        self,
        user_id: UserId,
        connection_id: ConnectionId,
        group_memberships: list[GroupMembership] | None,
    ) -> None:
        """Join the groups that the service does not join, and leave what the user left meanwhile.

        The user may be removed from a group between the reading of the group memberships and the
        join. Then the removal has taken the connection out of the group before it was in, and the
        join would let a former member listen. This order prevents it: a removal drops the group
        membership first, and takes the connections out after that; here the join comes first, and
        the group memberships are read again after it. So either the removal finds the connection in
        the group, or the second reading finds the group membership gone. Where a group membership
        is gone, the conversation in the store decides. Proved by
        tests/integration/services/test_group_machine.py for any order of calls.

        Args:
            group_memberships: The user's group memberships as live state has them; None when it has
                lost them.

        Raises:
            UnavailableError: A service did not answer.
        """
        if group_memberships is None:
            await self._reconcile(user_id)
            group_memberships = await self.live.renew_group_memberships(user_id, [])
        now = self.clock.now()
        planned = plan(group_memberships or [], now=now)
        if not planned.join and not planned.renew:
            return
        await self.groups.join_alone(connection_id, planned.join)
        await self.groups.join_again(user_id, planned.renew)
        after = await self.live.renew_group_memberships(
            user_id, [GroupMembership(group, now) for group in planned.renew]
        )
        if after is None:  # lost once more: the store says which groups the user has
            kept = set(await self.memberships.list_all(user_id))
        else:
            kept = {group_membership.conversation_id for group_membership in after}
        for group in (*planned.join, *planned.renew):
            if group not in kept:
                await self._settle(user_id, group)

    async def _settle(self, user_id: UserId, conversation_id: ConversationId) -> None:
        conversation = await self.reader.find(conversation_id, version=None)
        if conversation is not None:
            await self.membership.settle(conversation, [user_id])

    async def _reconcile(self, user_id: UserId) -> None:
        """Note the user's group memberships anew, from the memberships in the store.

        A group that the user leaves while the memberships are read would get a group membership
        again. So they are read once more after the group memberships are noted, and what is gone by
        then is dropped.
        """
        joined = await self.memberships.list_all(user_id)
        group_memberships = [
            GroupMembership(group, at) for group, at in joined.items() if is_group_id(group)
        ]
        await self.live.fill_group_memberships(user_id, group_memberships)
        still = await self.memberships.list_all(user_id)
        for group in joined.keys() - still.keys():
            await self.live.drop_inbox(user_id, group)
