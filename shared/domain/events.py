"""What happened, and whom to tell: pushes to connected clients, as values.

A push is a hint. It may be lost, doubled or reordered. Sequence numbers, sync and the heartbeat's
`activity` make up for that (docs/protocol.md#push). So services return pushes, and triggers hand
them to the SignalR output binding, whose failures no code can handle.
"""

from dataclasses import dataclass

from shared.domain.conversations.conversation import Conversation
from shared.domain.conversations.inbox import InboxItem
from shared.domain.ids import ConnectionId, ConversationId, SequenceNumber, UserId
from shared.domain.messages.attachment import Attachment
from shared.domain.messages.message import Message
from shared.domain.messages.receipt import Receipt
from shared.domain.people.presence import Presence


@dataclass(frozen=True, slots=True)
class MessagePosted:
    message: Message


@dataclass(frozen=True, slots=True)
class ReceiptAdvanced:
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    presences: tuple[Presence, ...]


@dataclass(frozen=True, slots=True)
class TypingChanged:
    conversation_id: ConversationId
    user_id: UserId
    typing: bool


@dataclass(frozen=True, slots=True)
class ConversationChanged:
    conversation: Conversation
    latest: SequenceNumber


@dataclass(frozen=True, slots=True)
class ConversationRemoved:
    conversation_id: ConversationId


@dataclass(frozen=True, slots=True)
class InboxChanged:
    """The user's own view of a conversation changed. Only their own connections are told."""

    item: InboxItem


@dataclass(frozen=True, slots=True)
class AttachmentChanged:
    conversation_id: ConversationId
    sequence: SequenceNumber
    attachment: Attachment


Event = (
    MessagePosted
    | ReceiptAdvanced
    | PresenceChanged
    | TypingChanged
    | ConversationChanged
    | ConversationRemoved
    | InboxChanged
    | AttachmentChanged
)


@dataclass(frozen=True, slots=True)
class ToUser:
    """Every connection of one user."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class ToGroup:
    """Every connection of every user in a SignalR group."""

    group: str


@dataclass(frozen=True, slots=True)
class ToConnection:
    connection_id: ConnectionId


@dataclass(frozen=True, slots=True)
class Push:
    """One send of the SignalR service, however many connections it reaches."""

    event: Event
    to: ToUser | ToGroup | ToConnection


@dataclass(frozen=True, slots=True)
class JoinGroup:
    """Put a user, or one connection, into a SignalR group."""

    who: ToUser | ToConnection
    group: str


@dataclass(frozen=True, slots=True)
class LeaveGroup:
    who: ToUser | ToConnection
    group: str


Effect = Push | JoinGroup | LeaveGroup


def audience(conversation: Conversation, *, but: UserId | None = None) -> list[ToUser | ToGroup]:
    """Return whom a push about *conversation* goes to: a group at once, a pair user by user.

    Args:
        but: Left out, of a pair. A push to a group reaches all its members, so there the clients
            drop what they did themselves.
    """
    if conversation.kind == "group":
        return [ToGroup(conversation_group(conversation.id))]
    return [ToUser(user) for user in conversation.member_ids if user != but]


def conversation_group(conversation_id: ConversationId) -> str:
    """Return the SignalR group that holds a group conversation's members."""
    return conversation_id


def watchers_group(user_id: UserId) -> str:
    """Return the SignalR group of the connections that watch *user_id*'s presence."""
    return f"presence:{user_id}"
