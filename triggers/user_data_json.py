"""One user's data as JSON for the website: parts of an export, and what an erasure removed."""

from typing import Any, Final

from shared.domain.errors import InvalidError
from shared.domain.ids import (
    MAX_SEQUENCE,
    NO_SEQUENCE,
    ConversationId,
    SequenceNumber,
    UserId,
    is_conversation_id,
)
from shared.domain.people.user import User
from shared.domain.times import to_ms
from shared.services.user_data.erasure import KEPT, ErasureStep
from shared.services.user_data.export import ExportedConversation, ExportStep, SentFile
from shared.services.user_data.walk import BEGINNING, Position
from triggers import decode, encode
from triggers.decode import Fields
from triggers.opaque import from_token, to_token

type Json = dict[str, Any]

_MAX_CHARACTERS: Final = 200


def position(fields: Fields) -> Position | None:
    """Return the position at which `continuation` goes on; None when it is absent or null.

    Raises:
        InvalidError: It is not a valid continuation token.
    """
    if fields.get("continuation") is None:
        return None
    try:
        text = decode.text(fields, "continuation", longest=_MAX_CHARACTERS)
        return _position(from_token(text, longest=_MAX_CHARACTERS))
    except ValueError as error:
        raise InvalidError("continuation: is not a valid continuation token") from error


def exported(user_id: UserId, step: ExportStep) -> Json:
    return {
        "userId": user_id,
        "user": _user(step.user) if step.user else None,
        "conversations": [_exported_conversation(user_id, place) for place in step.conversations],
        "messages": [_without_status(encode.message(message)) for message in step.messages],
        "files": [_file(file) for file in step.files],
        "continuation": _continuation(step.position),
    }


def erased(user_id: UserId, step: ErasureStep) -> Json:
    kept = () if step.position else KEPT
    return {
        "userId": user_id,
        "removed": [
            {"store": entry.store, "what": entry.what, "count": entry.count}
            for entry in step.removed
        ],
        "kept": [{"store": store, "what": what, "why": why} for store, what, why in kept],
        "continuation": _continuation(step.position),
    }


def _position(values: list[Any]) -> Position:
    if len(values) not in {2, 4}:
        raise ValueError
    identifier, after, *look = values
    if type(after) is not int or not NO_SEQUENCE <= after <= MAX_SEQUENCE:
        raise ValueError
    if identifier != BEGINNING.conversation_id and not is_conversation_id(identifier):
        raise ValueError
    if look and (type(look[0]) is not int or not 0 <= look[0] <= 2 or type(look[1]) is not bool):
        raise ValueError
    return Position(ConversationId(identifier), SequenceNumber(after), *look)


def _continuation(position: Position | None) -> str | None:
    if position is None:
        return None
    look = [position.look, position.found] if position.look or position.found else []
    return to_token([position.conversation_id, position.after, *look])


def _user(user: User) -> Json:
    return {
        "displayName": user.display_name,
        "avatarUrl": user.avatar_url,
        "contacts": list(user.contacts),
        "blocked": list(user.blocked),
        "settings": {"preview": user.preview},
        "pushSubscriptions": [
            {"id": device.id, "endpoint": device.endpoint} for device in user.subscriptions
        ],
    }


def _exported_conversation(user_id: UserId, exported: ExportedConversation) -> Json:
    conversation = exported.conversation
    member = conversation.find_member(user_id) if conversation else None
    if conversation is None or member is None:
        return {"conversationId": exported.conversation_id, "member": None}
    return {
        "conversationId": exported.conversation_id,
        "member": {
            "kind": conversation.kind,
            "title": conversation.title,
            "role": member.role,
            "joinedAt": to_ms(member.joined_at),
            "historyFrom": member.history_from,
            "mutedUntil": to_ms(exported.muted_until) if exported.muted_until else None,
            "receipt": encode.receipt(exported.receipt) if exported.receipt else None,
        },
    }


def _without_status(message: Json) -> Json:
    return {name: value for name, value in message.items() if name != "status"}


def _file(file: SentFile) -> Json:
    return {
        "conversationId": file.message.conversation_id,
        "sequence": file.message.sequence,
        "attachment": encode.attachment(file.attachment),
        "url": file.url,
    }
