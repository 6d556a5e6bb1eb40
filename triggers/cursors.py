"""Where an inbox page ended, as a text the client hands back."""

import base64
import binascii
import json
from typing import Final

from shared.domain.errors import InvalidError
from shared.domain.ids import ConversationId, is_conversation_id
from shared.domain.live import InboxEntry
from triggers.decode import LAST_MS

_MAX_CHARACTERS: Final = 200


def text(entry: InboxEntry) -> str:
    """Return *entry* as an opaque, URL-safe text."""
    whole = json.dumps([entry.activity_ms, entry.conversation_id])
    return base64.urlsafe_b64encode(whole.encode()).decode()


def parse(value: str | None) -> InboxEntry | None:
    """Return the entry that *value* names; None when the page is the first.

    Raises:
        InvalidError: It is not one of ours.
    """
    if not value:
        return None
    try:
        return _entry(value)
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise InvalidError("continuation: is not one of ours") from error


def _entry(value: str) -> InboxEntry:
    if len(value) > _MAX_CHARACTERS:
        raise ValueError
    activity_ms, identifier = json.loads(base64.urlsafe_b64decode(value.encode()))
    if type(activity_ms) is not int or not 0 <= activity_ms <= LAST_MS:
        raise ValueError
    if not is_conversation_id(identifier):
        raise ValueError
    return InboxEntry(ConversationId(identifier), activity_ms)
