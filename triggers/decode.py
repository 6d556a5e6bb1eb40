"""JSON from outside, field by field: every wrong one is named in the refusal."""

import json
import re
from collections.abc import Mapping
from typing import Any

from shared.domain.errors import InvalidError, NotFoundError, TooLargeError
from shared.domain.ids import (
    MAX_SEQUENCE,
    AttachmentId,
    ConversationId,
    Sequence,
    UserId,
    is_attachment_id,
    is_conversation_id,
    user_id,
)
from shared.domain.texts import is_unicode

MAX_BODY_BYTES = 256 * 1024  # a full message is some 40 KB of JSON; a full sync some 100 KB

_NUMBER = re.compile(r"[0-9]{1,15}")

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
        InvalidError: It is not a text.
        NotFoundError: No conversation can have such an id.
    """
    if not isinstance(value, str):
        raise InvalidError("conversationId: must be a text")
    if not is_conversation_id(value):
        raise NotFoundError("no such conversation")
    return ConversationId(value)


def attachment_id(value: object) -> AttachmentId:
    if not is_attachment_id(value):
        raise NotFoundError("no such file")
    return AttachmentId(str(value))


def sequence(fields: Fields, name: str, *, low: int = 0) -> Sequence | None:
    """Return the field as a sequence, or None when it is absent or null."""
    number = whole_number(fields, name, low=low, high=MAX_SEQUENCE)
    return None if number is None else Sequence(number)


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
        raise InvalidError(f"{name}: must be a text of at most {longest} characters")
    return value


def user_ids(value: object, *, field: str, most: int) -> list[UserId]:
    """Return *value* as user ids, each once, in their order."""
    if not isinstance(value, list):
        raise InvalidError(f"{field}: must be a list of user ids")
    if len(value) > most:
        raise InvalidError(f"{field}: at most {most} user ids")
    return list(dict.fromkeys(user_id(one, field=field) for one in value))
