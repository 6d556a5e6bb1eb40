"""Values for tests: each is right in all that a test does not say."""

import uuid
from datetime import UTC, datetime

from shared.domain.conversations.conversation import Conversation, Member, Role
from shared.domain.ids import (
    AttachmentId,
    ClientMessageId,
    ConversationId,
    SequenceNumber,
    UserId,
    direct_conversation_id,
)
from shared.domain.messages.attachment import Attachment
from shared.domain.messages.message import Message
from shared.domain.messages.receipt import Receipt

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

ANN, BOB, CAT, DAN = UserId("ann"), UserId("bob"), UserId("cat"), UserId("dan")
GROUP = ConversationId("g-" + "1" * 32)
PAIR = direct_conversation_id(ANN, BOB)


def client_id(number: int) -> ClientMessageId:
    return ClientMessageId(str(uuid.UUID(int=number)))


def attachment(number: int = 1, **said: object) -> Attachment:
    fields: dict[str, object] = {
        "attachment_id": AttachmentId(f"a-{number:032x}"),
        "file_name": "cat.png",
        "content_type": "image/png",
        "size_bytes": 20,
        **said,
    }
    return Attachment(**fields)  # type: ignore[arg-type]  # fields are named by the tests


def message(
    sequence: int = 1,
    *,
    sender: UserId = ANN,
    body: str = "hello",
    attachments: tuple[Attachment, ...] = (),
    conversation_id: ConversationId = GROUP,
    number: int | None = None,
    at: datetime = NOON,
) -> Message:
    return Message(
        conversation_id=conversation_id,
        sequence=SequenceNumber(sequence),
        sender_id=sender,
        client_message_id=client_id(sequence if number is None else number),
        kind="text",
        body=body,
        attachments=attachments,
        reply_to=None,
        sent_at=at,
    )


def member(
    user: UserId, role: Role = "member", *, history_from: int = 1, muted: datetime | None = None
) -> Member:
    return Member(user, role, NOON, SequenceNumber(history_from), muted_until=muted)


def group(*members: Member, title: str = "Trip", version: int = 1) -> Conversation:
    everyone = members or (member(ANN, "owner"), member(BOB, "admin"), member(CAT))
    return Conversation(GROUP, "group", title, everyone, NOON, version=version)


def pair(*, blocked_by: tuple[UserId, ...] = ()) -> Conversation:
    return Conversation(PAIR, "direct", "", (member(ANN), member(BOB)), NOON, blocked_by=blocked_by)


def receipt(
    user: UserId = BOB,
    *,
    delivered: int = 0,
    read: int = 0,
    at: datetime | None = None,
    conversation_id: ConversationId = GROUP,
) -> Receipt:
    return Receipt(conversation_id, user, SequenceNumber(delivered), SequenceNumber(read), at)
