"""Where an inbox page or a sync ended, as a string that the client hands back."""

import zlib
from collections.abc import Mapping
from typing import Any, Final, Literal

from shared.domain.conversations.catchup import NEVER, SyncCursor
from shared.domain.errors import InvalidError
from shared.domain.ids import ConversationId, UserId, is_conversation_id
from shared.domain.live import Epoch
from shared.ports import InboxEntry
from triggers.decode import LAST_MS
from triggers.opaque import from_token, to_token

_MAX_CHARACTERS: Final = 200
_VERSION: Final = 1  # of sync cursors; one with another number counts as unreadable
_LAST_MICROSECOND: Final = 2**53
NOW: Final = "now"  # asks for a cursor of this moment and for no changes

type Since = SyncCursor | Literal["now", "unreadable"] | None


def text(entry: InboxEntry) -> str:
    """Return *entry* as an opaque, URL-safe string."""
    return to_token([entry.activity_ms, entry.conversation_id])


def parse(value: str | None) -> InboxEntry | None:
    """Return the entry that *value* names; None for the first page.

    Raises:
        InvalidError: It is not a valid continuation token.
    """
    if not value:
        return None
    try:
        return _entry(value)
    except ValueError as error:
        raise InvalidError("continuation: is not a valid continuation token") from error


def _entry(value: str) -> InboxEntry:
    activity_ms, identifier = from_token(value, longest=_MAX_CHARACTERS)
    if type(activity_ms) is not int or not 0 <= activity_ms <= LAST_MS:
        raise ValueError
    if not is_conversation_id(identifier):
        raise ValueError
    return InboxEntry(ConversationId(identifier), activity_ms)


def sync_text(cursor: SyncCursor, user_id: UserId) -> str:
    """Return *cursor* as an opaque, URL-safe string, valid for this user alone."""
    return to_token([_VERSION, _mark(user_id), cursor.at, cursor.whole, cursor.epoch])


def parse_since(fields: Mapping[str, Any], user_id: UserId) -> Since:
    """Return the moment since which a sync asks for changes.

    A cursor of another version or user is `unreadable` and no error: the client syncs anew.

    Raises:
        InvalidError: It is not a string, or longer than any cursor.
    """
    value = fields.get("since")
    if value is None or value == NOW:
        return value
    if not isinstance(value, str) or len(value) > _MAX_CHARACTERS:
        raise InvalidError(f"since: must be a cursor of at most {_MAX_CHARACTERS} characters")
    try:
        return _sync_cursor(value, user_id)
    except ValueError:
        return "unreadable"


def _sync_cursor(value: str, user_id: UserId) -> SyncCursor:
    version, mark, at, whole, epoch = from_token(value, longest=_MAX_CHARACTERS)
    kinds = [type(version), type(at), type(whole), type(epoch)]
    if kinds != [int, int, bool, str] or [version, mark] != [_VERSION, _mark(user_id)]:
        raise ValueError
    if not NEVER <= at <= _LAST_MICROSECOND:
        raise ValueError
    return SyncCursor(at, whole, Epoch(epoch))


def _mark(user_id: UserId) -> int:
    return zlib.crc32(user_id.encode())
