"""A message: what it may hold, in which bucket it is stored, and what its sender sees of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from shared.domain.errors import InvalidError, TooLargeError
from shared.domain.ids import ClientMessageId, ConversationId, SequenceNumber, UserId
from shared.domain.messages.attachment import Attachment
from shared.domain.messages.receipt import Receipt
from shared.domain.text import is_unicode

MessageKind = Literal["text", "system"]
Status = Literal["sent", "delivered", "read"]

MAX_BODY_CHARACTERS = 8_000
MAX_ATTACHMENTS = 10


@dataclass(frozen=True, slots=True)
class Draft:
    """What a sender asks to post.

    Args:
        retry: The client has sent this message before, so the store may have it already.
    """

    client_message_id: ClientMessageId
    body: str
    attachments: tuple[Attachment, ...] = ()
    reply_to: SequenceNumber | None = None
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A message as stored. Only an erasure empties it, and only a scanner's verdict changes it.

    Args:
        trace: The `traceparent` of the call that stored the message; no part of its content.
    """

    conversation_id: ConversationId
    sequence: SequenceNumber
    sender_id: UserId
    client_message_id: ClientMessageId
    kind: MessageKind
    body: str
    attachments: tuple[Attachment, ...]
    reply_to: SequenceNumber | None
    sent_at: datetime
    trace: str = field(default="", compare=False)

    @property
    def is_erased(self) -> bool:
        """Tell whether the content was erased with the sender: nobody may send an empty message."""
        return not self.body and not self.attachments


def erase(message: Message) -> Message:
    """Return *message* without its content. It keeps its sequence, since history has no gaps."""
    return replace(message, body="", attachments=())


def check_body(body: object, *, attachment_count: int) -> str:
    """Return *body* if it may be posted.

    Raises:
        InvalidError: Not a string, empty without an attachment, or not valid Unicode.
        TooLargeError: More than 8,000 characters.
    """
    if not isinstance(body, str):
        raise InvalidError("body: must be a string")
    if not body.strip() and not attachment_count:
        raise InvalidError("body: must not be empty without an attachment")
    if len(body) > MAX_BODY_CHARACTERS:
        raise TooLargeError(f"body: must have at most {MAX_BODY_CHARACTERS} characters")
    if not is_unicode(body):
        raise InvalidError("body: must be valid Unicode, without half of a surrogate pair")
    return body


def bucket_of(sequence: SequenceNumber, *, size: int) -> int:
    """Return the number of the bucket that holds *sequence*.

    Args:
        size: Messages in a bucket.

    Source: docs/architecture.md#storage.
    """
    return (sequence - 1) // size


def status_of(message: Message, receipts: Iterable[Receipt]) -> Status:
    """Return what the sender sees: the least that every *other* member has done with it.

    Args:
        receipts: Those of the members who may see this message. The sender's own does not count.
    """
    others = [receipt for receipt in receipts if receipt.user_id != message.sender_id]
    if not others:
        return "sent"
    if all(receipt.read >= message.sequence for receipt in others):
        return "read"
    if all(receipt.delivered >= message.sequence for receipt in others):
        return "delivered"
    return "sent"
