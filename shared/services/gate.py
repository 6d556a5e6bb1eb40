"""What every call passes first: its limit, its lease, and the news that it brings."""

import logging
from dataclasses import dataclass

from shared.domain.errors import RateLimitedError, UnavailableError
from shared.domain.events import Effect, PresenceChanged, Push, ToGroup, watchers_group
from shared.domain.live import Call, CallState
from shared.domain.presence import Presence
from shared.ports import Clock, LiveState, PresenceStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gate:
    """Admits calls. With live state down it admits all: limits are off, chat goes on."""

    live: LiveState
    presence: PresenceStore
    clock: Clock

    async def enter(self, call: Call) -> list[Effect]:
        """Take a token and renew the lease of a call that needs nothing else of live state.

        Raises:
            RateLimitedError: The caller's bucket is empty.
        """
        try:
            state = await self.live.enter(call)
        except UnavailableError:
            return []
        return await self.admit(call, state)

    async def admit(self, call: Call, state: CallState) -> list[Effect]:
        """Refuse a call above its limit; announce a user whom it brought online.

        Raises:
            RateLimitedError: The caller's bucket was empty.
        """
        effects: list[Effect] = []
        if state.came_online:
            effects += await self.announce(Presence(call.user_id, "online", self.clock.now()))
        if state.wait_ms:
            raise RateLimitedError("too many calls; wait a little", retry_after_ms=state.wait_ms)
        return effects

    async def announce(self, presence: Presence) -> list[Effect]:
        """Tell the website, and return the push to those who watch this user."""
        try:
            await self.presence.publish(presence)
        except UnavailableError:
            logger.warning("presence of a user not published")
        return [Push(PresenceChanged((presence,)), ToGroup(watchers_group(presence.user_id)))]
