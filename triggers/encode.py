"""The chat's values as JSON, in the names and shapes of docs/protocol.md."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from shared.domain.conversations.conversation import Conversation, Member
from shared.domain.conversations.inbox import InboxItem
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
from shared.domain.ids import AttachmentId, ConversationId, SequenceNumber
from shared.domain.messages.attachment import Attachment
from shared.domain.messages.message import Message, Status
from shared.domain.messages.receipt import Receipt
from shared.domain.people.presence import Presence
from shared.domain.people.user import User
from shared.domain.times import to_ms
from shared.ports import UploadGrant
from shared.services.inbox.sync import Synced, SyncItem
from shared.services.people.accounts import Contact
from shared.services.presence.presences import HeartbeatReply
from shared.timing import Timing

type Json = dict[str, Any]


def conversation(conversation: Conversation, latest: SequenceNumber) -> Json:
    return {
        "id": conversation.id,
        "kind": conversation.kind,
        "title": conversation.title,
        "members": [_member(member) for member in conversation.members],
        "createdAt": to_ms(conversation.created_at),
        "latestSequence": latest,
        "version": conversation.version,
    }


def message(message: Message, status: Status = "sent") -> Json:
    return {
        "conversationId": message.conversation_id,
        "sequence": message.sequence,
        "senderId": message.sender_id,
        "clientMessageId": message.client_message_id,
        "kind": message.kind,
        "body": message.body,
        "attachments": [attachment(item) for item in message.attachments],
        "replyTo": message.reply_to,
        "sentAt": to_ms(message.sent_at),
        "status": status,
    }


def messages(pairs: Iterable[tuple[Message, Status]]) -> list[Json]:
    return [message(item, status) for item, status in pairs]


def attachment(attachment: Attachment) -> Json:
    return {
        "attachmentId": attachment.attachment_id,
        "fileName": attachment.file_name,
        "contentType": attachment.content_type,
        "sizeBytes": attachment.size_bytes,
        "width": attachment.width,
        "height": attachment.height,
        "state": attachment.state,
    }


def receipt(receipt: Receipt) -> Json:
    return {
        "conversationId": receipt.conversation_id,
        "userId": receipt.user_id,
        "delivered": receipt.delivered,
        "read": receipt.read,
        "updatedAt": to_ms(receipt.updated_at) if receipt.updated_at else None,
    }


def presence(presence: Presence) -> Json:
    return {
        "userId": presence.user_id,
        "status": presence.status,
        "lastSeenAt": to_ms(presence.last_seen_at) if presence.last_seen_at else None,
    }


def profile(user: User, public_key: str) -> Json:
    return {
        "userId": user.id,
        "displayName": user.display_name,
        "avatarUrl": user.avatar_url,
        "settings": {"preview": user.preview, "blocked": list(user.blocked)},
        "push": {"publicKey": public_key},
    }


def contact(contact: Contact) -> Json:
    return {
        "userId": contact.user.id,
        "displayName": contact.user.display_name,
        "avatarUrl": contact.user.avatar_url,
        "presence": presence(contact.presence),
    }


def inbox_item(item: InboxItem) -> Json:
    return {
        "conversation": conversation(item.row.conversation, item.row.head.sequence),
        "lastMessage": message(item.row.last) if item.row.last else None,
        "unreadCount": item.unread_count,
        "receipt": receipt(item.row.receipt),
        "muted": item.muted,
        "mutedUntil": to_ms(item.muted_until) if item.muted_until else None,
    }


def muted(conversation_id: ConversationId, until: datetime | None) -> Json:
    return {"conversationId": conversation_id, "until": to_ms(until) if until else None}


def sync_item(item: SyncItem) -> Json:
    return {
        "conversationId": item.conversation_id,
        "latestSequence": item.latest,
        "messages": messages(item.messages),
        "complete": item.complete,
        "receipt": receipt(item.receipt),
        **({"inboxItem": inbox_item(item.inbox_item)} if item.inbox_item else {}),
    }


def synced(synced: Synced) -> Json:
    return {
        "items": [sync_item(item) for item in synced.items],
        "more": synced.more,
        **({"reset": True} if synced.reset else {}),
        **({"removed": list(synced.removed)} if synced.removed else {}),
    }


def granted(attachment_id: AttachmentId, grant: UploadGrant) -> Json:
    return {
        "attachmentId": attachment_id,
        "uploadUrl": grant.url,
        "headers": dict(grant.headers),
        "expiresAt": to_ms(grant.expires_at),
    }


def heartbeat_reply(reply: HeartbeatReply, timing: Timing) -> Json:
    return {
        "serverTime": to_ms(reply.server_time),
        "activity": reply.activity,
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
            return "receiptAdvanced", {"items": [receipt(item) for item in receipts]}
        case PresenceChanged(presences):
            return "presenceChanged", {"items": [presence(item) for item in presences]}
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


def _member(member: Member) -> Json:
    return {
        "userId": member.user_id,
        "role": member.role,
        "joinedAt": to_ms(member.joined_at),
        "historyFrom": member.history_from,
    }
