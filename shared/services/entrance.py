"""How a call gets to a conversation: through the gate, and past the access rule."""

from dataclasses import dataclass

from shared.domain.access import access_conversation
from shared.domain.conversation import Conversation, Member
from shared.domain.errors import AccountErasedError, NotFoundError, UnavailableError
from shared.domain.events import Effect
from shared.domain.ids import ConversationId
from shared.domain.live import Call, CallState, Head
from shared.ports import LiveState
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

        Raises:
            NotFoundError: No such conversation for this caller.
            RateLimitedError: The caller's bucket is empty.
            UnavailableError: The store did not answer.
        """
        try:
            state, head = await self.live.enter_conversation(call, conversation_id)
        except UnavailableError:
            self.gate.admit_alone(call)
            state, head, effects = CallState(), Head(), []
        else:
            effects = await self._admitted(call, state)
        version = head.version if head.known else None
        found = await self.reader.find(conversation_id, version=version)
        conversation, member = access_conversation(found, call.user_id)
        head = await self.reader.known_head(conversation, head)
        return Entered(conversation, member, head, state, effects)

    async def _admitted(self, call: Call, state: CallState) -> list[Effect]:
        try:
            return await self.gate.admit(call, state)
        except AccountErasedError as error:
            raise NotFoundError("no such conversation") from error  # as for all who are not in it

    async def head(self, conversation: Conversation) -> Head:
        """Return the conversation's head, from the store where live state does not know it."""
        try:
            head = await self.live.head(conversation.id)
        except UnavailableError:
            head = Head()
        return await self.reader.known_head(conversation, head)
