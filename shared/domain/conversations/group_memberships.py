"""Seats: a user's memberships of SignalR groups, of which the service forgets the oldest.

SignalR Service remembers the latest 100 groups of a user, for a year, and puts new connections into
those. The connections of a user with more groups are put into the other groups one by one, and a
membership that nears its year is renewed in time. Source: the reference of SignalR Service's group
management; docs/architecture.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.ids import ConversationId

REMEMBERED: Final = 90  # of 100: joins that are under way must not make the service forget one
RENEWED_AFTER: Final = timedelta(days=300)


@dataclass(frozen=True, slots=True)
class GroupMembership:
    """A group conversation, and when its user was last put into its SignalR group.

    Args:
        confirmed: A connection has joined the group since. Until then it may be noted although the
            user was never put into the group, because a worker died between the two.
    """

    conversation_id: ConversationId
    joined_at: datetime
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class GroupMembershipPlan:
    """What a new connection needs.

    Args:
        join: Groups that only this connection is put into.
        renew: Groups that the user is put into once more.
    """

    join: tuple[ConversationId, ...]
    renew: tuple[ConversationId, ...]


def plan(group_memberships: Iterable[GroupMembership], *, now: datetime) -> GroupMembershipPlan:
    """Return what the service does not do by itself for a new connection."""
    newest_first = sorted(
        group_memberships, key=lambda group_membership: group_membership.joined_at, reverse=True
    )
    remembered, forgotten = newest_first[:REMEMBERED], newest_first[REMEMBERED:]
    return GroupMembershipPlan(
        join=tuple(group_membership.conversation_id for group_membership in forgotten),
        renew=tuple(
            group_membership.conversation_id
            for group_membership in remembered
            if not group_membership.confirmed or now - group_membership.joined_at > RENEWED_AFTER
        ),
    )
