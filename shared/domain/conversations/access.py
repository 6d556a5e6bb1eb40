"""The rule who may reach a conversation."""

from shared.domain.conversations.conversation import Conversation, Member
from shared.domain.errors import BlockedError, NotFoundError
from shared.domain.ids import UserId


def access_conversation(
    conversation: Conversation | None, caller: UserId
) -> tuple[Conversation, Member]:
    """Return *conversation* and the caller as its member.

    Raises:
        NotFoundError: There is no such conversation, or the caller is not in it. Both are answered
            alike, so that a stranger does not learn that a conversation exists.
    """
    member = conversation.find_member(caller) if conversation else None
    if conversation is None or member is None:
        raise NotFoundError("no such conversation")
    return conversation, member


def require_unblocked(conversation: Conversation) -> None:
    """Refuse new messages and typing in a direct conversation that either side has blocked.

    Raises:
        BlockedError: There is a block, of whichever side.
    """
    if conversation.blocked_by:
        raise BlockedError("messages between you two are blocked")
