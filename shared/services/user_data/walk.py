"""The walk through all of a user's data in conversations, which exports and erasures share.

Both go in steps. Each step is bounded and may be repeated: first the account, then one conversation
after the other in the order of their ids, and at last what remains.
"""

from dataclasses import dataclass
from typing import Final

from shared.domain.errors import UserNotFoundError
from shared.domain.ids import NO_SEQUENCE, ConversationId, SequenceNumber, UserId
from shared.domain.messages.message import Message
from shared.domain.people.user import User
from shared.ports import MembershipStore, MessageStore, UserStore

CONVERSATIONS_AT_ONCE: Final = 20
MESSAGES_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next step begins: in this conversation, after this sequence.

    Args:
        look: Of an erasure: 0 withdraws the user from every conversation, 1 empties the messages,
            2 looks again until nothing is left.
        found: The erasure has removed something in this look, so another look follows.
    """

    conversation_id: ConversationId
    after: SequenceNumber = NO_SEQUENCE
    look: int = 0
    found: bool = False


BEGINNING: Final = Position(ConversationId(""))


@dataclass(frozen=True, slots=True)
class Batch:
    """One conversation of a step, with some of the messages the user sent there, in order.

    Args:
        is_first: The walk begins this conversation here, and did not stop in it before.
    """

    conversation_id: ConversationId
    messages: list[Message]
    is_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDataWalk:
    """Finds a user's messages in all conversations, also in those that they have left."""

    users: UserStore
    memberships: MembershipStore
    messages: MessageStore

    async def user(self, user_id: UserId) -> User:
        """Return the user, erased or not.

        Raises:
            UserNotFoundError: Chat has never heard of them.
        """
        user = await self.users.find(user_id)
        if user is None:
            raise UserNotFoundError("no such user")
        return user

    async def batches(
        self, user_id: UserId, position: Position, *, with_messages: bool = True
    ) -> tuple[list[Batch], Position | None]:
        """Return the next batches, and where the next step begins; None at the end.

        A step has at most 20 conversations and 100 messages. Messages that are stored behind the
        walk's position are not in it.
        """
        conversations = await self._conversations(user_id)
        ahead = [each for each in conversations if each >= position.conversation_id]
        batches: list[Batch] = []
        room = MESSAGES_AT_ONCE
        for conversation_id in ahead[:CONVERSATIONS_AT_ONCE]:
            is_first = conversation_id != position.conversation_id or not position.after
            after = NO_SEQUENCE if is_first else position.after
            sent: list[Message] = []
            if with_messages:
                sent = await self.messages.list_sent(
                    conversation_id, user_id, after=after, limit=room
                )
            batches.append(Batch(conversation_id, sent, is_first=is_first))
            room -= len(sent)
            if not room:
                return batches, Position(conversation_id, sent[-1].sequence)
        rest = ahead[CONVERSATIONS_AT_ONCE:]
        return batches, Position(rest[0]) if rest else None

    async def _conversations(self, user_id: UserId) -> list[ConversationId]:
        joined = await self.memberships.list_all(user_id)
        return sorted({*joined, *await self.messages.list_written_in(user_id)})
