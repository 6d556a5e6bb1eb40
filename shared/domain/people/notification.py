"""Whom to notify of messages, and what the notification may say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.conversations.conversation import Conversation, Member
from shared.domain.conversations.mute import UNSAID, Mute, muted_until
from shared.domain.ids import NO_SEQUENCE, ConversationId, SequenceNumber, UserId
from shared.domain.messages.message import Message
from shared.domain.messages.receipt import Receipt
from shared.domain.people.user import PreviewLevel

MAX_PREVIEW_CHARACTERS = 140


@dataclass(frozen=True, slots=True)
class NotificationJob:
    """Messages of one conversation that some absent members may need to hear of.

    Args:
        up_to: The newest of those messages.
        recipients: The members who had not acknowledged the messages when this was decided.
        attempt: 0 at first; grows with each retry for a recipient whose devices failed.
        clear: The recipients have read the messages: dismiss what their devices show.
    """

    conversation_id: ConversationId
    first: SequenceNumber
    up_to: SequenceNumber
    recipients: tuple[UserId, ...]
    attempt: int = 0
    clear: bool = False


@dataclass(frozen=True, slots=True)
class Notification:
    """What one device shows. `tag` collapses notifications of one conversation into one."""

    conversation_id: ConversationId
    title: str
    body: str
    sequence: SequenceNumber
    tag: str


@dataclass(frozen=True, slots=True)
class Dismissal:
    """Dismisses what one device shows of a conversation, up to a message that its user has read."""

    conversation_id: ConversationId
    up_to: SequenceNumber
    tag: str


def absentees(
    conversation: Conversation,
    messages: Iterable[Message],
    receipts: Iterable[Receipt],
) -> tuple[UserId, ...]:
    """Return the members who have not acknowledged the newest message that others wrote to them.

    Left out are the sender, members who may not see the message, and both sides of a block. An
    acknowledgement by any device counts; presence does not. `without_muted` leaves out the members
    who have muted the conversation.
    """
    delivered = {receipt.user_id: receipt.delivered for receipt in receipts}
    newest = list(messages)
    return tuple(
        member.user_id
        for member in conversation.members
        if not conversation.blocked_by
        and unseen(member, newest, delivered=delivered.get(member.user_id, NO_SEQUENCE))
    )


def unseen(
    member: Member, messages: Iterable[Message], *, delivered: SequenceNumber
) -> tuple[Message, ...]:
    """Return the messages that others wrote to *member* and that none of their devices has."""
    return tuple(
        message
        for message in messages
        if message.sender_id != member.user_id
        and message.sequence >= member.history_from
        and message.sequence > delivered
        and not message.is_erased
    )


def without_muted(
    users: Iterable[UserId],
    conversation: Conversation,
    mutes: Mapping[UserId, Mute],
    *,
    now: datetime,
) -> list[UserId]:
    """Return those of *users* who have not muted the conversation.

    Args:
        mutes: The mutes of those whose membership has one.
    """
    members = {member.user_id: member for member in conversation.members}
    return [
        user
        for user in users
        if not (user in members and muted_until(members[user], mutes.get(user, UNSAID), now=now))
    ]


def compose(
    message: Message,
    conversation: Conversation,
    *,
    sender_name: str,
    unseen_count: int,
    preview: PreviewLevel,
) -> Notification:
    """Return what a device shows for *message*, telling no more than *preview* allows.

    Args:
        unseen_count: How many messages of the conversation the user lacks, this one included.
    """
    if preview == "nothing":
        title, body = "Parley", "You have new messages"
    else:
        title = f"{sender_name} in {conversation.title}" if conversation.title else sender_name
        body = _count(unseen_count) if preview == "sender" else _excerpt(message)
    return Notification(conversation.id, title, body, message.sequence, tag=conversation.id)


def _count(unseen_count: int) -> str:
    return "New message" if unseen_count <= 1 else f"{unseen_count} new messages"


def _excerpt(message: Message) -> str:
    if not message.body.strip():
        return "Sent a file" if len(message.attachments) == 1 else "Sent files"
    text = " ".join(message.body.split())
    if len(text) <= MAX_PREVIEW_CHARACTERS:
        return text
    return text[: MAX_PREVIEW_CHARACTERS - 1] + "…"
