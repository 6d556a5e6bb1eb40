"""Typing signals: pushed in small conversations, throttled, never stored."""

from dataclasses import dataclass
from typing import Final

from shared.domain.conversations.access import require_unblocked
from shared.domain.errors import UnavailableError
from shared.domain.events import (
    Effect,
    Push,
    TypingChanged,
    audience,
)
from shared.domain.ids import ConversationId
from shared.ports import Call, PresenceStore
from shared.services.admission.admission import Admission

_MAX_MEMBERS: Final = 20  # in larger groups somebody is always typing


@dataclass(frozen=True, slots=True, kw_only=True)
class TypingSignals:
    """Tells the other members that somebody is typing."""

    admission: Admission
    presence: PresenceStore

    async def set_typing(
        self, call: Call, conversation_id: ConversationId, *, typing: bool
    ) -> list[Effect]:
        """Return the push to the other members, if the signal is new and the group is small.

        Raises:
            NotFoundError: There is no such conversation for this caller.
            BlockedError: Either side of a direct conversation blocks the other.
        """
        admitted = await self.admission.admit_to(call, conversation_id)
        require_unblocked(admitted.conversation)
        if len(admitted.conversation.members) > _MAX_MEMBERS:
            return admitted.effects
        try:
            is_new = await self.presence.mark_typing(call.user_id, conversation_id, typing=typing)
        except UnavailableError:
            return admitted.effects
        if not is_new:
            return admitted.effects
        event = TypingChanged(conversation_id, call.user_id, typing)
        others = audience(admitted.conversation, but=call.user_id)
        return admitted.effects + [Push(event, to) for to in others]
