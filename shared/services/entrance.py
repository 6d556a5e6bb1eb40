"""How a call gets to a conversation: through the gate, and past the access rule."""

from dataclasses import dataclass

from shared.domain.access import access_conversation
from shared.domain.conversation import Conversation, Member
from shared.domain.errors import AccountErasedError, NotFoundError, UnavailableError
from shared.domain.events import Effect
from shared.domain.ids import ConversationId
from shared.domain.live import Epoch, Head
from shared.ports import Call, CallState, LiveState
from shared.services.gate import Gate
from shared.services.reader import ConversationReader


@dataclass(frozen=True, slots=True)
class Entered:
    """A call that is in: what it may work on, and the news that it brought."""

    conversation: Conversation
    member: Member
    head: Head
    state: CallState
    effects: list[Effect]


@dataclass(frozen=True, slots=True)
class Entrance:
    """Admits calls to conversations: one round trip to live state, and usually nothing else."""

    gate: Gate
    reader: ConversationReader
    live: LiveState

    async def enter(self, call: Call, conversation_id: ConversationId) -> Entered:
        """Return the conversation as it now is, if the caller is in it.

        A cached copy may decide that only if live state names its version. Where live state knows
        nothing of the conversation, the copy that decides is read from the store in this call, and
        the same copy then makes live state whole again. Deciding on a cached copy first and reading
        the newer one after it would let a removed member in.

        Raises:
            NotFoundError: No such conversation for this caller.
            RateLimitedError: The caller's bucket is empty.
            UnavailableError: The store did not answer.
        """
        try:
            state, head = await self.live.enter_conversation(call, conversation_id)
        except UnavailableError:
            self.reader.distrust()
            self.gate.admit_alone(call)
            state, head, effects = CallState(), Head(), []
        else:
            effects = await self._admitted(call, state)
        if not head.known:
            return await self._enter_unknown(call, conversation_id, head.epoch, state, effects)
        found = await self.reader.find(conversation_id, version=head.version)
        conversation, member = access_conversation(found, call.user_id)
        head = await self.reader.known_head(conversation, head)
        return Entered(conversation, member, head, state, effects)

    async def _admitted(self, call: Call, state: CallState) -> list[Effect]:
        try:
            return await self.gate.admit(call, state)
        except AccountErasedError as error:
            raise NotFoundError("no such conversation") from error  # as for all who are not in it

    async def _enter_unknown(
        self,
        call: Call,
        conversation_id: ConversationId,
        epoch: Epoch,
        state: CallState,
        effects: list[Effect],
    ) -> Entered:
        found, flushed = await self.reader.find_stored(conversation_id) or (None, None)
        conversation, member = access_conversation(found, call.user_id)
        head, _ = await self.reader.recover(conversation, flushed=flushed, epoch=epoch)
        return Entered(conversation, member, head, state, effects)

    async def head(self, conversation: Conversation) -> Head:
        """Return the conversation's head, from the store where live state does not know it."""
        try:
            head = await self.live.head(conversation.id)
        except UnavailableError:
            head = Head()
        return await self.reader.known_head(conversation, head)
