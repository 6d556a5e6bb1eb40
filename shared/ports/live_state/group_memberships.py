"""Which SignalR groups each user was put into: a part of live state."""

from collections.abc import Iterable
from typing import Protocol

from shared.domain.conversations.group_memberships import GroupMembership
from shared.domain.ids import UserId
from shared.ports.live_state.calls import Call, CallState


class GroupMemberships(Protocol):
    """The SignalR groups that each user was put into. Each method is one round trip.

    `shared/domain/conversations/group_memberships.py` tells why the chat remembers what SignalR
    Service also remembers.
    """

    async def enter_connection(self, call: Call) -> tuple[CallState, list[GroupMembership] | None]:
        """Enter, and return the user's group memberships; None when they are lost."""
        ...

    async def fill_group_memberships(
        self, user_id: UserId, group_memberships: Iterable[GroupMembership]
    ) -> None:
        """Note all group memberships of a user; from then on they count as complete."""
        ...

    async def add_group_membership(
        self, user_ids: Iterable[UserId], group_membership: GroupMembership
    ) -> None:
        """Note one more group membership, unconfirmed, of each user whose list is complete."""
        ...

    async def renew_group_memberships(
        self, user_id: UserId, group_memberships: Iterable[GroupMembership]
    ) -> list[GroupMembership] | None:
        """Note that the user was just put into these groups; return all group memberships then.

        A group membership that is gone by now stays gone: the user has left that group meanwhile.
        Returns None when the user's group memberships are lost.
        """
        ...
