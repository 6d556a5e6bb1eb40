"""What every call passes first: its limit, its lease, and the news that it brings."""

import logging
from dataclasses import dataclass, replace

from shared.domain.errors import AccountErasedError, UnavailableError
from shared.domain.events import Effect, PresenceChanged, Push, ToGroup, watchers_group
from shared.domain.presence import Presence
from shared.ports import Call, CallState, Clock, LiveState, PresenceStore
from shared.services.erased_users import ErasedUsers
from shared.services.throttle import Throttle, refusal

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gate:
    """Admits calls. With live state down this worker's own buckets decide, and chat goes on."""

    live: LiveState
    presence: PresenceStore
    clock: Clock
    throttle: Throttle
    erased: ErasedUsers

    async def enter(self, call: Call) -> list[Effect]:
        """Take a token and renew the lease of a call that needs nothing else of live state.

        Raises:
            RateLimitedError: The caller's bucket is empty.
        """
        try:
            state = await self.live.enter(call)
        except UnavailableError:
            self.admit_alone(call)
            return []
        return await self.admit(call, state)

    def admit_alone(self, call: Call) -> None:
        """Take a token of this worker's own bucket, because live state did not answer.

        Raises:
            RateLimitedError: It is empty.
        """
        call.token.is_taken = True
        self.throttle.take(call)

    async def charge(self, call: Call) -> None:
        """Take the token of a call that was refused before it came to the limiter.

        It renews no lease: what a refused call has to tell would be told to nobody.

        Raises:
            RateLimitedError: The caller's bucket is empty.
        """
        if call.limit is not None and not call.token.is_taken:
            await self.enter(replace(call, connection_id=None))

    async def admit(self, call: Call, state: CallState) -> list[Effect]:
        """Refuse a call above its limit; announce a user whom it brought online.

        A call that live state lets through can be refused still: here, when live state was emptied
        and this worker remembers more of the caller's calls than it does, or later, by a rule. Live
        state has noted by then that the user's coming online is told. So the news stays with the
        call's token, and the edge sends it beside the refusal.

        Raises:
            RateLimitedError: The caller's bucket was empty.
            AccountErasedError: The caller is erased.
        """
        call.token.is_taken = True
        if state.account != "open":
            await self._refuse_erased(call, state)
        wait_ms = self.throttle.follow(call, wait_ms=state.wait_ms)
        effects: list[Effect] = []
        if state.came_online:
            effects += await self.announce(Presence(call.user_id, "online", self.clock.now()))
            call.token.news = tuple(effects)
        if wait_ms:
            raise refusal(wait_ms)
        return effects

    async def _refuse_erased(self, call: Call, state: CallState) -> None:
        try:
            if not await self.erased.is_erased(call.user_id, state.account):
                return
            if state.account == "unknown":  # then this call has made keys of theirs anew
                await self.live.forget(call.user_id)
        except UnavailableError:
            if state.account == "unknown":
                return  # chat goes on; what the caller wants of the store is refused there
        raise AccountErasedError

    async def announce(self, presence: Presence) -> list[Effect]:
        """Tell the website, and return the push to those who watch this user."""
        try:
            await self.presence.publish(presence)
        except UnavailableError:
            logger.warning("presence of a user not published")
        return [Push(PresenceChanged((presence,)), ToGroup(watchers_group(presence.user_id)))]
