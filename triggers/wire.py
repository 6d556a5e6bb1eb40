"""The chat's values as JSON, in the names and shapes of docs/protocol.md."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.domain.attachment import Attachment
from shared.domain.conversation import Conversation, Member
from shared.domain.events import (
    AttachmentChanged,
    ConversationChanged,
    ConversationRemoved,
    Effect,
    Event,
    InboxChanged,
    JoinGroup,
    MessagePosted,
    PresenceChanged,
    Push,
    ReceiptAdvanced,
    ToConnection,
    ToGroup,
    ToUser,
    TypingChanged,
)
from shared.domain.ids import AttachmentId, ConversationId, Sequence
from shared.domain.inbox import InboxItem
from shared.domain.message import Message, Status
from shared.domain.presence import Presence
from shared.domain.receipt import Receipt
from shared.domain.times import to_ms
from shared.domain.user import User
from shared.ports import UploadGrant
from shared.services.accounts import Contact
from shared.services.presences import Beat
from shared.services.sync import Synced, SyncItem
from shared.timing import Timing

type Json = dict[str, Any]


def conversation(of: Conversation, latest: Sequence) -> Json:
    return {
        "id": of.id,
        "kind": of.kind,
        "title": of.title,
        "members": [_member(one) for one in of.members],
        "createdAt": to_ms(of.created_at),
        "latestSequence": latest,
        "version": of.version,
    }


def message(of: Message, status: Status = "sent") -> Json:
    return {
        "conversationId": of.conversation_id,
        "sequence": of.sequence,
        "senderId": of.sender_id,
        "clientMessageId": of.client_message_id,
        "kind": of.kind,
        "body": of.body,
        "attachments": [attachment(one) for one in of.attachments],
        "replyTo": of.reply_to,
        "sentAt": to_ms(of.sent_at),
        "status": status,
    }


def messages(of: Iterable[tuple[Message, Status]]) -> list[Json]:
    return [message(one, status) for one, status in of]


def attachment(of: Attachment) -> Json:
    return {
        "attachmentId": of.attachment_id,
        "fileName": of.file_name,
        "contentType": of.content_type,
        "sizeBytes": of.size_bytes,
        "width": of.width,
        "height": of.height,
        "state": of.state,
    }


def receipt(of: Receipt) -> Json:
    return {
        "conversationId": of.conversation_id,
        "userId": of.user_id,
        "delivered": of.delivered,
        "read": of.read,
        "updatedAt": to_ms(of.updated_at) if of.updated_at else None,
    }


def presence(of: Presence) -> Json:
    return {
        "userId": of.user_id,
        "status": of.status,
        "lastSeenAt": to_ms(of.last_seen_at) if of.last_seen_at else None,
    }


def profile(of: User, public_key: str) -> Json:
    return {
        "userId": of.id,
        "displayName": of.display_name,
        "avatarUrl": of.avatar_url,
        "settings": {"preview": of.preview, "blocked": list(of.blocked)},
        "push": {"publicKey": public_key},
    }


def contact(of: Contact) -> Json:
    return {
        "userId": of.user.id,
        "displayName": of.user.display_name,
        "avatarUrl": of.user.avatar_url,
        "presence": presence(of.presence),
    }


def inbox_item(of: InboxItem) -> Json:
    return {
        "conversation": conversation(of.row.conversation, of.row.head.sequence),
        "lastMessage": message(of.row.last) if of.row.last else None,
        "unreadCount": of.unread_count,
        "receipt": receipt(of.row.receipt),
        "muted": of.muted,
        "mutedUntil": to_ms(of.muted_until) if of.muted_until else None,
    }


def muted(conversation_id: ConversationId, until: datetime | None) -> Json:
    return {"conversationId": conversation_id, "until": to_ms(until) if until else None}


def sync_item(of: SyncItem) -> Json:
    return {
        "conversationId": of.conversation_id,
        "latestSequence": of.latest,
        "messages": messages(of.messages),
        "complete": of.complete,
        "receipt": receipt(of.receipt),
        **({"inboxItem": inbox_item(of.inbox_item)} if of.inbox_item else {}),
    }


def synced(of: Synced) -> Json:
    return {
        "items": [sync_item(one) for one in of.items],
        "more": of.more,
        **({"reset": True} if of.reset else {}),
        **({"removed": list(of.removed)} if of.removed else {}),
    }


def granted(attachment_id: AttachmentId, grant: UploadGrant) -> Json:
    return {
        "attachmentId": attachment_id,
        "uploadUrl": grant.url,
        "headers": dict(grant.headers),
        "expiresAt": to_ms(grant.expires_at),
    }


def beat(of: Beat, timing: Timing) -> Json:
    return {
        "serverTime": to_ms(of.server_time),
        "activity": of.activity,
        "nextInMs": timing.heartbeat_s * 1000,
        "reconnectWithinMs": timing.reconnect_within_s * 1000,
    }


def signalr_items(effects: Iterable[Effect]) -> list[Json]:
    """Return *effects* as items of the SignalR output binding, which sends them one by one."""
    return [_signalr_item(effect) for effect in effects]


def _signalr_item(effect: Effect) -> Json:
    if isinstance(effect, Push):
        target, argument = _event(effect.event)
        return {**_audience(effect.to), "target": target, "arguments": [argument]}
    action = "add" if isinstance(effect, JoinGroup) else "remove"
    return {**_audience(effect.who), "groupName": effect.group, "action": action}


def _audience(to: ToUser | ToGroup | ToConnection) -> Json:
    match to:
        case ToUser(user_id):
            return {"userId": user_id}
        case ToGroup(group):
            return {"groupName": group}
        case ToConnection(connection_id):
            return {"connectionId": connection_id}


def _event(event: Event) -> tuple[str, Json]:
    match event:
        case MessagePosted(posted):
            return "messagePosted", {"message": message(posted)}
        case ReceiptAdvanced(receipts):
            return "receiptAdvanced", {"items": [receipt(one) for one in receipts]}
        case PresenceChanged(presences):
            return "presenceChanged", {"items": [presence(one) for one in presences]}
        case TypingChanged(conversation_id, user_id, typing):
            return "typing", {
                "conversationId": conversation_id,
                "userId": user_id,
                "typing": typing,
            }
        case _:
            return _conversation_event(event)


def _conversation_event(
    event: ConversationChanged | ConversationRemoved | InboxChanged | AttachmentChanged,
) -> tuple[str, Json]:
    match event:
        case ConversationChanged(changed, latest):
            return "conversationChanged", {"conversation": conversation(changed, latest)}
        case ConversationRemoved(conversation_id):
            return "conversationRemoved", {"conversationId": conversation_id}
        case InboxChanged(item):
            return "inboxChanged", {"item": inbox_item(item)}
        case AttachmentChanged(conversation_id, sequence, changed_attachment):
            return "attachmentChanged", {
                "conversationId": conversation_id,
                "sequence": sequence,
                "attachment": attachment(changed_attachment),
            }


def _member(of: Member) -> Json:
    return {
        "userId": of.user_id,
        "role": of.role,
        "joinedAt": to_ms(of.joined_at),
        "historyFrom": of.history_from,
    }
