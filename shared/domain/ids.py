"""The identifiers of the chat, and which texts are valid as such."""

import hashlib
import re
import uuid
from typing import NewType

from shared.domain.errors import InvalidError

UserId = NewType("UserId", str)
ConversationId = NewType("ConversationId", str)
ConnectionId = NewType("ConnectionId", str)
ClientMessageId = NewType("ClientMessageId", str)
AttachmentId = NewType("AttachmentId", str)
SequenceNumber = NewType("SequenceNumber", int)

NO_SEQUENCE = SequenceNumber(0)
MAX_SEQUENCE = 999_999_999_999  # the most that fits the zero-padded item id

# Without a letter or digit, `.` and `..` would be steps of a path on the way to the store.
_USER_ID = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9._:@-]{1,128}")
_CONVERSATION_ID = re.compile(r"[dg]-[a-z0-9]{32}")
_ATTACHMENT_ID = re.compile(r"a-[0-9a-f]{32}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def user_id(text: object, *, field: str) -> UserId:
    """Return *text* as the id of a user of the website.

    Raises:
        InvalidError: *text* is not 1-128 characters of `A-Z a-z 0-9 . _ : @ -`, or has neither a
            letter nor a digit.

    Source: docs/protocol.md#principals.
    """
    if not isinstance(text, str) or not _USER_ID.fullmatch(text):
        raise InvalidError(
            f"{field}: must be 1-128 characters of A-Z a-z 0-9 . _ : @ -, with a letter or digit"
        )
    return UserId(text)


def is_conversation_id(text: object) -> bool:
    return isinstance(text, str) and _CONVERSATION_ID.fullmatch(text) is not None


def is_group_id(conversation_id: ConversationId) -> bool:
    """Tell a group's id from a direct conversation's."""
    return conversation_id.startswith("g-")


def is_attachment_id(text: object) -> bool:
    return isinstance(text, str) and _ATTACHMENT_ID.fullmatch(text) is not None


def client_message_id(text: object, *, field: str = "clientMessageId") -> ClientMessageId:
    """Return *text* as a UUID in lower case, so that one UUID has one spelling.

    Raises:
        InvalidError: *text* is not a UUID of 36 characters.
    """
    if not isinstance(text, str) or not _UUID.fullmatch(text):
        raise InvalidError(f"{field}: must be a UUID")
    return ClientMessageId(text.lower())


def direct_conversation_id(one: UserId, other: UserId) -> ConversationId:
    """Return the id of the one direct conversation of two users, given in either order."""
    pair = "\n".join(sorted((one, other)))
    return ConversationId("d-" + hashlib.sha256(pair.encode()).hexdigest()[:32])


def group_conversation_id(seed: uuid.UUID) -> ConversationId:
    return ConversationId("g-" + seed.hex)


def attachment_id(seed: uuid.UUID) -> AttachmentId:
    return AttachmentId("a-" + seed.hex)
