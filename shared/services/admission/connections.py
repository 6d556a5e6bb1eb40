"""Connections of the hub: how fast they may come, how many a user has, and when they are gone."""

import logging
from dataclasses import dataclass
from typing import Final

from shared.config import Connections as Limits
from shared.domain.errors import (
    AccountErasedError,
    BusyError,
    RateLimitedError,
    UnavailableError,
)
from shared.domain.events import Effect, ToConnection
from shared.domain.ids import ConnectionId, UserId
from shared.domain.limits import Limit
from shared.domain.people.presence import Presence
from shared.ports import Call, Clock, ConnectionHub, GroupMemberships, PresenceStore
from shared.services.admission.admission import Admission
from shared.services.presence.connection_groups import ConnectionGroups
from shared.services.presence.presence_news import announce

logger = logging.getLogger(__name__)

# Told to a client whose connection ends in favour of a newer one. The client must not come straight
# back, or a user's devices would push each other out for ever (docs/protocol.md#connections).
TOO_MANY: Final = "too many connections"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """Lets connections in, ends the oldest of too many, and notes when one is gone.

    SignalR Service tells of connections late, twice or never, so presence does not rely on it: the
    leases decide who is online.

    Args:
        reconnect_within_ms: The time over which clients spread their attempts to reconnect.
    """

    admission: Admission
    live: GroupMemberships
    presence: PresenceStore
    hub: ConnectionHub
    groups: ConnectionGroups
    clock: Clock
    limits: Limits
    reconnect_within_ms: int

    async def negotiate(self, call: Call, address: str | None) -> None:
        """Take a token of the caller's bucket, of the address's bucket, and of the service's.

        Args:
            address: Where the caller is, as far as the edge in front of the app tells.

        Raises:
            RateLimitedError: Too many negotiations of this user, or of this address.
            BusyError: Too many of all users: the service takes no more at the moment.
        """
        await self.admission.admit(call)
        if self.limits.from_address and address:
            await self._take(f"address {address}", self.limits.from_address)
        if self.limits.to_service:
            try:
                await self._take("all users", self.limits.to_service)
            except RateLimitedError as error:
                # The bucket gets its next token soon, for one of all who wait. So clients spread.
                wait_ms = max(error.retry_after_ms or 0, self.reconnect_within_ms, 1)
                raise BusyError("too many connect at once", retry_after_ms=wait_ms) from error

    async def connected(self, call: Call, connection_id: ConnectionId) -> list[Effect]:
        """Give a new connection its lease, and the groups that the service does not give it.

        The connection of an erased user is closed: a connection token that they got before the
        erasure may open one for an hour.

        Raises:
            UnavailableError: The service does not close the connection of an erased user.
        """
        try:
            state, group_memberships = await self.live.enter_connection(call)
        except UnavailableError:
            return []
        try:
            effects = await self.admission.decide(call, state)
        except AccountErasedError:
            await self.hub.close(ToConnection(connection_id), reason="this account was erased")
            return []
        await self._end_oldest(call.user_id, connection_id)
        try:
            await self.groups.join(call.user_id, connection_id, group_memberships)
        except UnavailableError as error:
            logger.warning("groups of a connection not joined: %s", error)
        return effects

    async def disconnected(self, user_id: UserId, connection_id: ConnectionId) -> list[Effect]:
        """End a connection's lease; the user is offline when it was the last."""
        if not await self.presence.close(user_id, connection_id):
            return []
        return await announce(self.presence, Presence(user_id, "offline", self.clock.now()))

    async def _end_oldest(self, user_id: UserId, connection_id: ConnectionId) -> None:
        """Count a new connection, and close the user's oldest if there are too many.

        Live state counts and ends the oldest leases in one step; the connections are closed after
        that. So two connections that come at once never end each other. A connection that cannot be
        closed holds no lease and is logged. It counts again, as the oldest, once live state forgets
        that its lease was ended.
        """
        try:
            ended = await self.presence.open(user_id, connection_id, most=self.limits.per_user)
        except UnavailableError:
            return
        for connection in ended:
            try:
                await self.hub.close(ToConnection(connection), reason=TOO_MANY)
            except UnavailableError as error:
                logger.warning("a connection too many is not closed: %s", error)

    async def _take(self, whose: str, limit: Limit) -> None:
        # No user id has a space, so this bucket belongs to no user.
        await self.admission.admit(Call(UserId(whose), limit=("negotiate", limit)))
