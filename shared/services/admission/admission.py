"""What every call passes first: its limit, its lease, and the rule who may reach a conversation."""

from dataclasses import dataclass, replace
from typing import Protocol

from shared.domain.conversations.access import access_conversation
from shared.domain.conversations.conversation import Conversation, Member
from shared.domain.errors import AccountErasedError, NotFoundError, UnavailableError
from shared.domain.events import Effect
from shared.domain.ids import ConversationId
from shared.domain.live import Epoch, Head
from shared.domain.people.presence import Presence
from shared.ports import Call, Callers, CallState, Clock, ConversationHeads, PresenceStore
from shared.services.admission.throttle import Throttle, refusal
from shared.services.conversations.reader import ConversationReader
from shared.services.presence.presence_news import announce
from shared.services.user_data.erased_users import ErasedUsers


@dataclass(frozen=True, slots=True)
class AdmittedCall:
    """A call that may work on a conversation.

    Args:
        member: The caller, as a member of the conversation.
        head: The newest message that is known.
        effects: Pushes about the caller, who may have come online by this call.
    """

    conversation: Conversation
    member: Member
    head: Head
    state: CallState
    effects: list[Effect]


class _LiveState(Callers, ConversationHeads, Protocol):
    """The parts of live state that every call goes through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Admits calls: one round trip to live state, and usually nothing else.

    While live state is down, this worker's own buckets decide, and chat goes on.
    """

    reader: ConversationReader
    live: _LiveState
    presence: PresenceStore
    clock: Clock
    throttle: Throttle
    erased: ErasedUsers

    async def admit(self, call: Call) -> list[Effect]:
        """Admit a call that needs nothing else of live state; return the pushes about its caller.

        Raises:
            RateLimitedError: The caller's bucket is empty.
            AccountErasedError: The caller is erased.
        """
        try:
            state = await self.live.enter(call)
        except UnavailableError:
            self.admit_locally(call)
            return []
        return await self.decide(call, state)

    async def admit_to(self, call: Call, conversation_id: ConversationId) -> AdmittedCall:
        """Admit a call to a conversation, which is returned as it now is.

        A cached copy may decide who is in the conversation only if live state names the copy's
        version. Where live state does not know the conversation, a copy that is read from the store
        in this call decides, and the same copy is then put back into live state. To decide on a
        cached copy first, and to read the newer one after that, would let a removed member in.
        Proved by tests/integration/services/test_removed.py.

        Raises:
            NotFoundError: There is no such conversation for this caller.
            RateLimitedError: The caller's bucket is empty.
            UnavailableError: The store did not answer.
        """
        try:
            state, head = await self.live.enter_conversation(call, conversation_id)
        except UnavailableError:
            self.reader.distrust()
            self.admit_locally(call)
            state, head, effects = CallState(), Head(), []
        else:
            effects = await self._decide_for_conversation(call, state)
        if not head.is_cached:
            return await self._admit_by_store(call, conversation_id, head.epoch, state, effects)
        current = await self.reader.find(conversation_id, version=head.version)
        conversation, member = access_conversation(current, call.user_id)
        head = await self.reader.known_head(conversation, head)
        return AdmittedCall(conversation, member, head, state, effects)

    def admit_locally(self, call: Call) -> None:
        """Take a token of this worker's own bucket, because live state did not answer.

        Raises:
            RateLimitedError: The bucket is empty.
        """
        call.token.is_taken = True
        self.throttle.take(call)

    async def charge(self, call: Call) -> None:
        """Take the token of a call that was refused before it reached the limiter.

        The call renews no lease: nobody would be told what a refused call reports.

        Raises:
            RateLimitedError: The caller's bucket is empty.
        """
        if call.limit is not None and not call.token.is_taken:
            await self.admit(replace(call, connection_id=None))

    async def decide(self, call: Call, state: CallState) -> list[Effect]:
        """Admit or refuse a call by what live state said of it; return the pushes about its caller.

        A call that live state lets through may still be refused: here, when live state was emptied
        and this worker remembers more of the caller's calls than live state does, or later by a
        rule. By then live state has noted that the caller's coming online is told, so no later call
        reports it again. The pushes therefore stay with the call's token too, and the edge sends
        them beside the refusal.

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
            online = Presence(call.user_id, "online", self.clock.now())
            effects += await announce(self.presence, online)
            call.token.effects = tuple(effects)
        if wait_ms:
            raise refusal(wait_ms)
        return effects

    async def _decide_for_conversation(self, call: Call, state: CallState) -> list[Effect]:
        try:
            return await self.decide(call, state)
        except AccountErasedError as error:
            # An erased user is in no conversation, and is answered as everybody who is not.
            raise NotFoundError("no such conversation") from error

    async def _admit_by_store(
        self,
        call: Call,
        conversation_id: ConversationId,
        epoch: Epoch,
        state: CallState,
        effects: list[Effect],
    ) -> AdmittedCall:
        stored, flushed = await self.reader.find_stored(conversation_id) or (None, None)
        conversation, member = access_conversation(stored, call.user_id)
        head, _ = await self.reader.reconcile(conversation, flushed=flushed, epoch=epoch)
        return AdmittedCall(conversation, member, head, state, effects)

    async def _refuse_erased(self, call: Call, state: CallState) -> None:
        try:
            if not await self.erased.is_erased(call.user_id, state.account):
                return
            if state.account == "unknown":
                # This call has just created keys of the erased user in live state.
                await self.live.forget(call.user_id)
        except UnavailableError:
            if state.account == "unknown":
                return  # Chat goes on. The store itself refuses what the caller wants of it.
        raise AccountErasedError
