"""How many connections a user may have, and how fast connections may come."""

import logging
from dataclasses import dataclass
from typing import Final

from shared.config import Connections
from shared.domain.errors import BusyError, RateLimitedError, UnavailableError
from shared.domain.events import ToConnection
from shared.domain.ids import ConnectionId, UserId
from shared.domain.limits import Limit
from shared.ports import Call, ConnectionHub, PresenceStore
from shared.services.gate import Gate

logger = logging.getLogger(__name__)

# What a client is told whose connection ends for a newer one: it must not come straight back, or
# devices would push each other out for ever. Source: docs/protocol.md#connections.
TOO_MANY: Final = "too many connections"


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Lets connections in, and ends the oldest of too many.

    Args:
        reconnect_within_ms: What clients spread their reconnecting over.
    """

    gate: Gate
    presence: PresenceStore
    hub: ConnectionHub
    limits: Connections
    reconnect_within_ms: int

    async def negotiate(self, call: Call, address: str | None) -> None:
        """Take a token of the caller's bucket, of the address's, and of the service's.

        Args:
            address: Where the caller is, as far as the edge in front of the app tells.

        Raises:
            RateLimitedError: Too many negotiations of this user, or of this address.
            BusyError: Too many of all: the service takes no more at the moment.
        """
        await self.gate.enter(call)
        if self.limits.from_address and address:
            await self._take(f"address {address}", self.limits.from_address)
        if self.limits.to_service:
            try:
                await self._take("all users", self.limits.to_service)
            except RateLimitedError as error:
                # The bucket has a token again soon, for one of all who wait: so they spread.
                wait_ms = max(error.retry_after_ms or 0, self.reconnect_within_ms, 1)
                raise BusyError("too many connect at once", retry_after_ms=wait_ms) from error

    async def opened(self, user_id: UserId, connection_id: ConnectionId) -> None:
        """Count a new connection, and close the user's oldest if there are too many.

        Leases end first, in one step with the counting, and closing follows. So two connections
        that come at once never end each other, and one that cannot be closed holds no lease, is
        logged, and counts again as the oldest once it is forgotten that its lease was ended.
        """
        try:
            ended = await self.presence.open(user_id, connection_id, most=self.limits.per_user)
        except UnavailableError:
            return
        for one in ended:
            try:
                await self.hub.close(ToConnection(one), reason=TOO_MANY)
            except UnavailableError as error:
                logger.warning("a connection too many is not closed: %s", error)

    async def _take(self, whose: str, limit: Limit) -> None:
        # No user's id has a space: the bucket is nobody's else.
        await self.gate.enter(Call(UserId(whose), limit=("negotiate", limit)))
