"""The group memberships of users in Redis ("group memberships"). One pipeline per method."""

from collections.abc import Iterable
from typing import Final, override

from shared.adapters.redis import keys
from shared.adapters.redis.client import Argument, Entry, call
from shared.adapters.redis.conversations.codec import READY, group_memberships_of
from shared.adapters.redis.script import Script
from shared.adapters.redis.users.calls import RedisPart, entered
from shared.domain.conversations.group_memberships import GroupMembership
from shared.domain.ids import UserId
from shared.domain.times import to_ms
from shared.ports import Call, CallState, GroupMemberships

# KEYS group memberships; ARGV conversation, ms. Adds to a complete set alone.
#
# A set that was lost must not come back with one entry: readers would take it for complete and
# renew that one group alone. `fill_group_memberships` writes the mark of a complete set in the same
# command as the entries. A user may join a group while another worker fills the set from the store:
# the join is noted in the set if the mark is there, and in the store in any case. The user joins
# the SignalR group by a call of its own, which does not depend on this set. Proved by
# test_live_port.py (`test_group_memberships_are_lost_until_they_are_filled`) and the state machine
# in tests/integration/services/test_group_machine.py.
ADD_IF_COMPLETE: Final = Script(
    """
if redis.call('ZSCORE', KEYS[1], '') then redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1]) end
"""
)


class RedisGroupMemberships(RedisPart, GroupMemberships):
    """Fulfils `GroupMemberships`."""

    @override
    async def enter_connection(self, call: Call) -> tuple[CallState, list[GroupMembership] | None]:
        answers = await self._client.run(
            *self._entering(call), *_read_group_memberships(call.user_id)
        )
        return entered(answers[0]), group_memberships_of(answers[-2], answers[-1])

    @override
    async def fill_group_memberships(
        self, user_id: UserId, group_memberships: Iterable[GroupMembership]
    ) -> None:
        await self._client.run(
            ("ZADD", keys.group_memberships(user_id), "GT", -1, READY, *_scored(group_memberships))
        )

    @override
    async def add_group_membership(
        self, user_ids: Iterable[UserId], group_membership: GroupMembership
    ) -> None:
        taken = (group_membership.conversation_id, to_ms(group_membership.joined_at))
        entries: list[Entry] = []
        for user in user_ids:
            entries.append(call(ADD_IF_COMPLETE, (keys.group_memberships(user),), *taken))
            entries.append(("SADD", keys.unconfirmed(user), group_membership.conversation_id))
        await self._client.run(*entries)

    @override
    async def renew_group_memberships(
        self, user_id: UserId, group_memberships: Iterable[GroupMembership]
    ) -> list[GroupMembership] | None:
        scored, entries = _scored(group_memberships), list[Entry]()
        if scored:  # XX: a group membership that was dropped meanwhile must not come back
            entries.append(("ZADD", keys.group_memberships(user_id), "XX", "GT", *scored))
            entries.append(("SREM", keys.unconfirmed(user_id), *scored[1::2]))
        answers = await self._client.run(*entries, *_read_group_memberships(user_id))
        return group_memberships_of(answers[-2], answers[-1])


def _scored(group_memberships: Iterable[GroupMembership]) -> list[Argument]:
    return [
        part
        for group_membership in group_memberships
        for part in (to_ms(group_membership.joined_at), group_membership.conversation_id)
    ]


def _read_group_memberships(user_id: UserId) -> tuple[Entry, Entry]:
    return ("ZRANGE", keys.group_memberships(user_id), 0, -1, "WITHSCORES"), (
        "SMEMBERS",
        keys.unconfirmed(user_id),
    )
