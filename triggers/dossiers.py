"""What the website is given of one user: parts of an export, lines of an erasure's receipt."""

import base64
import binascii
import json
from typing import Any, Final

from shared.domain.errors import InvalidError
from shared.domain.ids import (
    MAX_SEQUENCE,
    NO_SEQUENCE,
    ConversationId,
    Sequence,
    UserId,
    is_conversation_id,
)
from shared.domain.times import to_ms
from shared.domain.user import User
from shared.services.erasure import KEPT, ErasureStep
from shared.services.export import ExportStep, Place, SentFile
from shared.services.privacy import BEGINNING, Position
from triggers import decode, wire
from triggers.decode import Fields

type Json = dict[str, Any]

_MAX_CHARACTERS: Final = 200


def position(fields: Fields) -> Position | None:
    """Return where `continuation` says to go on; None when it is absent or null.

    Raises:
        InvalidError: It is not one of ours.
    """
    if fields.get("continuation") is None:
        return None
    try:
        text = decode.text(fields, "continuation", longest=_MAX_CHARACTERS)
        return _position(json.loads(base64.urlsafe_b64decode(text.encode())))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise InvalidError("continuation: is not one of ours") from error


def exported(user_id: UserId, step: ExportStep) -> Json:
    return {
        "userId": user_id,
        "user": _user(step.user) if step.user else None,
        "conversations": [_place(user_id, one) for one in step.places],
        "messages": [_without_status(wire.message(one)) for one in step.messages],
        "files": [_file(one) for one in step.files],
        "continuation": _continuation(step.position),
    }


def erased(user_id: UserId, step: ErasureStep) -> Json:
    kept = () if step.position else KEPT
    return {
        "userId": user_id,
        "removed": [
            {"store": one.store, "what": one.what, "count": one.count} for one in step.removed
        ],
        "kept": [{"store": store, "what": what, "why": why} for store, what, why in kept],
        "continuation": _continuation(step.position),
    }


def _position(value: object) -> Position:
    if not isinstance(value, list) or len(value) not in {2, 4}:
        raise ValueError
    identifier, after, *look = value
    if type(after) is not int or not NO_SEQUENCE <= after <= MAX_SEQUENCE:
        raise ValueError
    if identifier != BEGINNING.conversation_id and not is_conversation_id(identifier):
        raise ValueError
    if look and (type(look[0]) is not int or not 0 <= look[0] <= 2 or type(look[1]) is not bool):
        raise ValueError
    return Position(ConversationId(identifier), Sequence(after), *look)


def _continuation(of: Position | None) -> str | None:
    if of is None:
        return None
    look = [of.look, of.found] if of.look or of.found else []
    whole = json.dumps([of.conversation_id, of.after, *look])
    return base64.urlsafe_b64encode(whole.encode()).decode()


def _user(of: User) -> Json:
    return {
        "displayName": of.display_name,
        "avatarUrl": of.avatar_url,
        "contacts": list(of.contacts),
        "blocked": list(of.blocked),
        "settings": {"preview": of.preview},
        "pushSubscriptions": [{"id": one.id, "endpoint": one.endpoint} for one in of.subscriptions],
    }


def _place(user_id: UserId, of: Place) -> Json:
    member = of.conversation.find_member(user_id) if of.conversation else None
    if of.conversation is None or member is None:
        return {"conversationId": of.conversation_id, "member": None}
    return {
        "conversationId": of.conversation_id,
        "member": {
            "kind": of.conversation.kind,
            "title": of.conversation.title,
            "role": member.role,
            "joinedAt": to_ms(member.joined_at),
            "historyFrom": member.history_from,
            "mutedUntil": to_ms(of.muted_until) if of.muted_until else None,
            "receipt": wire.receipt(of.receipt) if of.receipt else None,
        },
    }


def _without_status(message: Json) -> Json:
    return {name: value for name, value in message.items() if name != "status"}


def _file(of: SentFile) -> Json:
    return {
        "conversationId": of.message.conversation_id,
        "sequence": of.message.sequence,
        "attachment": wire.attachment(of.attachment),
        "url": of.url,
    }
