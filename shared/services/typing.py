"""Typing signals: pushed to small conversations, throttled, never stored."""

from dataclasses import dataclass
from typing import Final

from shared.domain.access import require_unblocked
from shared.domain.conversation import Conversation
from shared.domain.errors import UnavailableError
from shared.domain.events import (
    Effect,
    Push,
    ToGroup,
    ToUser,
    TypingChanged,
    conversation_group,
)
from shared.domain.ids import ConversationId, UserId
from shared.ports import Call, PresenceStore
from shared.services.entrance import Entrance

_MAX_MEMBERS: Final = 20  # in larger groups somebody always types


@dataclass(frozen=True, slots=True)
class TypingSignals:
    """Passes typing on."""

    entrance: Entrance
    presence: PresenceStore

    async def set_typing(
        self, call: Call, conversation_id: ConversationId, *, typing: bool
    ) -> list[Effect]:
        """Return the push that tells the other members, if it is news and the group is small.

        Raises:
            NotFoundError: No such conversation for this caller.
            BlockedError: Either side of a direct conversation blocks the other.
        """
        entered = await self.entrance.enter(call, conversation_id)
        require_unblocked(entered.conversation)
        if len(entered.conversation.members) > _MAX_MEMBERS:
            return entered.effects
        try:
            news = await self.presence.mark_typing(call.user_id, conversation_id, typing=typing)
        except UnavailableError:
            return entered.effects
        pushes = _pushes(entered.conversation, call.user_id, typing=typing) if news else []
        return entered.effects + pushes


def _pushes(conversation: Conversation, user_id: UserId, *, typing: bool) -> list[Effect]:
    event = TypingChanged(conversation.id, user_id, typing)
    if conversation.kind == "group":
        return [Push(event, ToGroup(conversation_group(conversation.id)))]
    return [Push(event, ToUser(other)) for other in conversation.others(user_id)]
