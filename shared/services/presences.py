"""Presence: leases that calls renew, lapses that a timer finds, and who watches whom."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.domain.errors import AccountErasedError, UnavailableError
from shared.domain.events import (
    Effect,
    JoinGroup,
    LeaveGroup,
    ToConnection,
    watchers_group,
)
from shared.domain.ids import ConnectionId, ConversationId, UserId, is_group_id
from shared.domain.presence import Presence, unknown
from shared.domain.seats import Seat, plan
from shared.domain.user import blocks_between
from shared.ports import (
    Call,
    Clock,
    ConnectionHub,
    LiveState,
    MembershipStore,
    PresenceStore,
    UserStore,
)
from shared.services.connections import ConnectionLimits
from shared.services.gate import Gate
from shared.services.group_members import GroupMembers
from shared.services.membership import Membership
from shared.services.reader import ConversationReader

logger = logging.getLogger(__name__)

_LAPSED_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Beat:
    """What a heartbeat learns: `activity` counts messages to this user."""

    server_time: datetime
    activity: int


@dataclass(frozen=True, slots=True)
class Presences:
    """Keeps who is online. Neither `connected` nor `disconnected` is trusted to come."""

    gate: Gate
    live: LiveState
    presence: PresenceStore
    users: UserStore
    memberships: MembershipStore
    clock: Clock
    hub: ConnectionHub
    connections: ConnectionLimits
    groups: GroupMembers
    membership: Membership
    reader: ConversationReader

    async def connected(self, call: Call, connection_id: ConnectionId) -> list[Effect]:
        """Give a new connection its lease, and its places in groups the service has forgotten.

        An erased user's is closed: a connection token got before may open one for an hour.

        Raises:
            UnavailableError: The service does not close it.
        """
        try:
            state, seats = await self.live.enter_connection(call)
        except UnavailableError:
            return []
        try:
            effects = await self.gate.admit(call, state)
        except AccountErasedError:
            await self.hub.close(ToConnection(connection_id), reason="this account was erased")
            return []
        await self.connections.opened(call.user_id, connection_id)
        try:
            await self._take_seats(call.user_id, connection_id, seats)
        except UnavailableError as error:
            logger.warning("seats of a connection not taken: %s", error)
        return effects

    async def disconnected(self, user_id: UserId, connection_id: ConnectionId) -> list[Effect]:
        """End a connection's lease; the user is offline when it was the last."""
        if not await self.presence.close(user_id, connection_id):
            return []
        return await self.gate.announce(Presence(user_id, "offline", self.clock.now()))

    async def heartbeat(self, call: Call) -> tuple[Beat, list[Effect]]:
        """Renew the lease and count messages; with live state down, say 0 of them."""
        now = self.clock.now()
        try:
            state, activity = await self.live.heartbeat(call)
        except UnavailableError:
            self.gate.admit_alone(call)
            return Beat(now, 0), []
        return Beat(now, activity), await self.gate.admit(call, state)

    async def watch(
        self, call: Call, connection_id: ConnectionId, user_ids: list[UserId]
    ) -> tuple[list[Presence], list[Effect]]:
        """Watch exactly *user_ids* from this connection on, and say how they are now.

        Raises:
            RateLimitedError: The caller's bucket is empty.
            UnavailableError: Live state is down.
        """
        effects = await self.gate.enter(call)
        visible = await self._visible(call.user_id, user_ids)
        before = await self.presence.swap_watched(connection_id, visible)
        connection = ToConnection(connection_id)
        wanted = set(visible)
        effects += [
            LeaveGroup(connection, watchers_group(user)) for user in sorted(before - wanted)
        ]
        effects += [JoinGroup(connection, watchers_group(user)) for user in sorted(wanted - before)]
        return await self._presences(user_ids, wanted), effects

    async def list_presences(self, call: Call, user_ids: list[UserId]) -> list[Presence]:
        """Return the presence of each of *user_ids*, in their order.

        Raises:
            RateLimitedError: The caller's bucket is empty.
        """
        await self.gate.enter(call)
        visible = await self._visible(call.user_id, user_ids)
        try:
            return await self._presences(user_ids, set(visible))
        except UnavailableError:
            return [unknown(user) for user in user_ids]

    async def sweep(self) -> list[Effect]:
        """Announce offline those whose last lease has lapsed without a sign."""
        try:
            lapsed = await self.presence.lapse(limit=_LAPSED_AT_ONCE)
        except UnavailableError:
            return []
        return [effect for one in lapsed for effect in await self.gate.announce(one)]

    async def _take_seats(
        self, user_id: UserId, connection_id: ConnectionId, seats: list[Seat] | None
    ) -> None:
        """Join what the service does not join by itself, and leave what the user left meanwhile.

        The user may be removed from a group between the look at the seats and the join: then the
        removal has taken them out before they were in. It drops the seat before it does so. So the
        seats are read again after the joins: where one is gone, the conversation decides.
        """
        if seats is None:
            await self._recover_seats(user_id)
            seats = await self.live.renew_seats(user_id, [])
        now = self.clock.now()
        planned = plan(seats or [], now=now)
        if not planned.join and not planned.renew:
            return
        await self.groups.join_alone(connection_id, planned.join)
        await self.groups.join_again(user_id, planned.renew)
        after = await self.live.renew_seats(user_id, [Seat(one, now) for one in planned.renew])
        if after is None:  # lost again: a user who has no seats noted has them by the store
            kept = set(await self.memberships.list_all(user_id))
        else:
            kept = {seat.conversation_id for seat in after}
        for one in (*planned.join, *planned.renew):
            if one not in kept:
                await self._settle(user_id, one)

    async def _settle(self, user_id: UserId, conversation_id: ConversationId) -> None:
        conversation = await self.reader.find(conversation_id, version=None)
        if conversation is not None:
            await self.membership.settle(conversation, [user_id])

    async def _recover_seats(self, user_id: UserId) -> None:
        joined = await self.memberships.list_all(user_id)
        seats = [Seat(one, at) for one, at in joined.items() if is_group_id(one)]
        await self.live.fill_seats(user_id, seats)
        # A group that the user left while the memberships were read has a seat again now.
        still = await self.memberships.list_all(user_id)
        for one in joined.keys() - still.keys():
            await self.live.drop_inbox(user_id, one)

    async def _presences(self, asked: list[UserId], visible: set[UserId]) -> list[Presence]:
        seen = [user for user in asked if user in visible]
        known = {one.user_id: one for one in await self.presence.list_presences(seen)}
        return [known.get(user) or unknown(user) for user in asked]

    async def _visible(self, caller: UserId, asked: list[UserId]) -> list[UserId]:
        """Return those of *asked* whose presence *caller* may see: no block between them."""
        found = {user.id: user for user in await self.users.find_many({*asked, caller})}
        found = {user_id: user for user_id, user in found.items() if not user.erased}
        me = found.get(caller)
        if me is None:
            return [user for user in asked if user in found]
        return [
            user
            for user in dict.fromkeys(asked)
            if user in found and (user == caller or not blocks_between(me, found[user]))
        ]
