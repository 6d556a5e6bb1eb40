"""The one gate between a caller and a conversation."""

from shared.domain.conversation import Conversation, Member
from shared.domain.errors import BlockedError, NotFoundError
from shared.domain.ids import UserId


def access_conversation(
    conversation: Conversation | None, caller: UserId
) -> tuple[Conversation, Member]:
    """Return *conversation* and the caller's membership in it.

    Raises:
        NotFoundError: There is no such conversation, or the caller is not in it: to a stranger
            the two look the same, so that its existence is not disclosed.
    """
    member = conversation.find_member(caller) if conversation else None
    if conversation is None or member is None:
        raise NotFoundError("no such conversation")
    return conversation, member


def require_unblocked(conversation: Conversation) -> None:
    """Refuse new messages and typing in a direct conversation that either side has blocked.

    Raises:
        BlockedError: A block stands, whichever side put it.
    """
    if conversation.blocked_by:
        raise BlockedError("messages between you two are blocked")
