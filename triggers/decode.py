"""JSON from outside, field by field: the refusal names the first wrong one."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from shared.domain.conversations.conversation import MAX_MEMBERS, Kind, title_of
from shared.domain.errors import InvalidError, NotFoundError, TooLargeError
from shared.domain.ids import (
    MAX_SEQUENCE,
    AttachmentId,
    ConversationId,
    SequenceNumber,
    UserId,
    is_attachment_id,
    is_conversation_id,
    user_id,
)
from shared.domain.messages.receipt import check_acknowledgement
from shared.domain.people.presence import MAX_ASKED
from shared.domain.people.user import PREVIEW_LEVELS, PreviewLevel
from shared.domain.text import is_unicode
from shared.domain.times import from_ms

MAX_BODY_BYTES = 256 * 1024  # a full message has about 40 KB of JSON, a full sync 100 KB

_NUMBER = re.compile(r"[0-9]{1,15}")

LAST_MS = 253_402_300_799_999  # the end of the year 9999
_MAX_PAGE = 100
_MAX_POSITIONS = 10_000

type Fields = Mapping[str, Any]


def json_object(body: bytes) -> Fields:
    """Return *body* as a JSON object.

    Raises:
        TooLargeError: More than 256 KB.
        InvalidError: Not a JSON object.
    """
    if len(body) > MAX_BODY_BYTES:
        raise TooLargeError(f"the body has more than {MAX_BODY_BYTES} bytes")
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise InvalidError("body: must be JSON") from error
    return as_object(value, field="body")


def as_object(value: object, *, field: str) -> Fields:
    if not isinstance(value, dict):
        raise InvalidError(f"{field}: must be an object")
    return value


def conversation_id(value: object) -> ConversationId:
    """Return *value* as a conversation's id.

    Raises:
        InvalidError: It is not a string.
        NotFoundError: No conversation can have such an id.
    """
    if not isinstance(value, str):
        raise InvalidError("conversationId: must be a string")
    if not is_conversation_id(value):
        raise NotFoundError("no such conversation")
    return ConversationId(value)


def attachment_id(value: object) -> AttachmentId:
    if not is_attachment_id(value):
        raise NotFoundError("no such file")
    return AttachmentId(str(value))


def sequence(fields: Fields, name: str, *, low: int = 0) -> SequenceNumber | None:
    """Return the field as a sequence, or None when it is absent or null."""
    number = whole_number(fields, name, low=low, high=MAX_SEQUENCE)
    return None if number is None else SequenceNumber(number)


def whole_number(fields: Fields, name: str, *, low: int, high: int) -> int | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidError(f"{name}: must be a whole number from {low} to {high}")
    return value


def query_number(query: Fields, name: str, *, low: int, high: int) -> int | None:
    """Return a number from a query string, or None when it is absent."""
    text = query.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text) or not low <= int(text) <= high:
        raise InvalidError(f"{name}: must be a whole number from {low} to {high}")
    return int(text)


def flag(fields: Fields, name: str, *, default: bool | None = None) -> bool:
    value = fields.get(name, default)
    if not isinstance(value, bool):
        raise InvalidError(f"{name}: must be true or false")
    return value


def text(fields: Fields, name: str, *, longest: int, default: str | None = None) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str) or len(value) > longest or not is_unicode(value):
        raise InvalidError(f"{name}: must be a string of at most {longest} characters")
    return value


def user_ids(value: object, *, field: str, most: int) -> list[UserId]:
    """Return *value* as user ids, each once, in their order."""
    if not isinstance(value, list):
        raise InvalidError(f"{field}: must be a list of user ids")
    if len(value) > most:
        raise InvalidError(f"{field}: must have at most {most} user ids")
    return list(dict.fromkeys(user_id(item, field=field) for item in value))


def route_conversation(route: Fields) -> ConversationId:
    return conversation_id(route.get("conversationId"))


def route_user(route: Fields) -> UserId:
    return user_id(route.get("userId"), field="userId")


def page_size(query: Fields, *, default: int) -> int:
    """Return the `limit` of a page, 1 to 100."""
    return query_number(query, "limit", low=1, high=_MAX_PAGE) or default


def query_sequence(query: Fields, name: str) -> SequenceNumber | None:
    number = query_number(query, name, low=0, high=MAX_SEQUENCE)
    return None if number is None else SequenceNumber(number)


def presence_users(query: Fields) -> list[UserId]:
    """Return the users of `userIds=a,b`, at least one, at most 200."""
    parts = [part for part in query.get("userIds", "").split(",") if part]
    if not parts:
        raise InvalidError("userIds: must name at least one user")
    return user_ids(parts, field="userIds", most=MAX_ASKED)


def kind(fields: Fields) -> Kind:
    value = fields.get("kind")
    if value == "direct":
        return "direct"
    if value == "group":
        return "group"
    raise InvalidError("kind: must be direct or group")


def members(fields: Fields, name: str) -> list[UserId]:
    """Return users to put into a conversation. How many it takes is the domain's rule."""
    users = user_ids(fields.get(name), field=name, most=MAX_MEMBERS * 2)
    if not users and name == "userIds":
        raise InvalidError(f"{name}: must name at least one user")
    return users


def title(fields: Fields, *, default: str | None = None) -> str:
    value = fields.get("title")
    return default if value is None and default is not None else title_of(value)


def mute_until(fields: Fields) -> datetime | None:
    if "until" not in fields:
        raise InvalidError("until: must be epoch milliseconds or null")
    until = whole_number(fields, "until", low=0, high=LAST_MS)
    return None if until is None else from_ms(until)


def preview(fields: Fields) -> PreviewLevel:
    for level in PREVIEW_LEVELS:
        if fields.get("preview") == level:
            return level
    raise InvalidError(f"preview: must be one of {', '.join(PREVIEW_LEVELS)}")


def acknowledged(fields: Fields) -> tuple[SequenceNumber | None, SequenceNumber | None]:
    """Return the watermarks in *fields*; the service checks that such messages exist."""
    delivered, read = sequence(fields, "delivered"), sequence(fields, "read")
    check_acknowledgement(delivered, read, latest=SequenceNumber(MAX_SEQUENCE))
    return delivered, read


def positions(fields: Fields) -> dict[ConversationId, SequenceNumber]:
    """Return the client's position in each conversation; keys that are no such id are left out."""
    entries = as_object(fields.get("positions", {}), field="positions")
    if len(entries) > _MAX_POSITIONS:
        raise InvalidError(f"positions: must have at most {_MAX_POSITIONS} conversations")
    positions: dict[ConversationId, SequenceNumber] = {}
    for name in entries:
        position = sequence(entries, name)
        if position is None:
            raise InvalidError("positions: each must be a sequence number")
        if is_conversation_id(name):
            positions[ConversationId(name)] = position
    return positions


def file_place(blob_uri: str) -> tuple[ConversationId, AttachmentId] | None:
    """Return the conversation and id of the attachment at *blob_uri*; None for other blobs."""
    parts = urlsplit(blob_uri).path.split("/")[-3:]  # .../files/<conversation>/<attachment>
    if len(parts) != 3 or parts[0] != "files":
        return None
    if not is_conversation_id(parts[1]) or not is_attachment_id(parts[2]):
        return None
    return ConversationId(parts[1]), AttachmentId(parts[2])
