"""Presence: leases that heartbeats renew, lapses that a timer finds, and who watches whom."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.domain.errors import UnavailableError
from shared.domain.events import (
    Effect,
    JoinGroup,
    LeaveGroup,
    ToConnection,
    watchers_group,
)
from shared.domain.ids import ConnectionId, UserId
from shared.domain.people.presence import Presence, unknown
from shared.domain.people.user import blocks_between
from shared.ports import Call, Clock, InboxState, PresenceStore, UserStore
from shared.services.admission.admission import Admission
from shared.services.presence.presence_news import announce

_LAPSED_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class HeartbeatReply:
    """What a heartbeat answers: `activity` counts the messages to this user."""

    server_time: datetime
    activity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Presences:
    """Says who is online, to those who may know."""

    admission: Admission
    live: InboxState
    presence: PresenceStore
    users: UserStore
    clock: Clock

    async def heartbeat(self, call: Call) -> tuple[HeartbeatReply, list[Effect]]:
        """Renew the caller's lease and count the messages to them: 0 while live state is down."""
        now = self.clock.now()
        try:
            state, activity = await self.live.heartbeat(call)
        except UnavailableError:
            self.admission.admit_locally(call)
            return HeartbeatReply(now, 0), []
        return HeartbeatReply(now, activity), await self.admission.decide(call, state)

    async def watch(
        self, call: Call, connection_id: ConnectionId, user_ids: list[UserId]
    ) -> tuple[list[Presence], list[Effect]]:
        """Watch exactly *user_ids* from this connection on, and return their presence now.

        Raises:
            RateLimitedError: The caller's bucket is empty.
            UnavailableError: Live state is down.
        """
        effects = await self.admission.admit(call)
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
        await self.admission.admit(call)
        visible = await self._visible(call.user_id, user_ids)
        try:
            return await self._presences(user_ids, set(visible))
        except UnavailableError:
            return [unknown(user) for user in user_ids]

    async def sweep(self) -> list[Effect]:
        """Announce as offline the users whose last lease has lapsed without a sign of life."""
        try:
            lapsed = await self.presence.lapse(limit=_LAPSED_AT_ONCE)
        except UnavailableError:
            return []
        return [effect for presence in lapsed for effect in await announce(self.presence, presence)]

    async def _presences(self, user_ids: list[UserId], visible: set[UserId]) -> list[Presence]:
        shown = [user for user in user_ids if user in visible]
        presences = {each.user_id: each for each in await self.presence.list_presences(shown)}
        return [presences.get(user) or unknown(user) for user in user_ids]

    async def _visible(self, caller: UserId, user_ids: list[UserId]) -> list[UserId]:
        """Return those of *user_ids* whose presence the caller may see: no block between them."""
        users = {user.id: user for user in await self.users.find_many({*user_ids, caller})}
        users = {user_id: user for user_id, user in users.items() if not user.erased}
        me = users.get(caller)
        if me is None:
            return [user for user in user_ids if user in users]
        return [
            user
            for user in dict.fromkeys(user_ids)
            if user in users and (user == caller or not blocks_between(me, users[user]))
        ]
