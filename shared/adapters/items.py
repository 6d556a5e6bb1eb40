"""How domain values are kept as JSON documents: in Cosmos DB, and messages in Redis too."""

import json
from collections.abc import Mapping
from typing import Any

from shared.domain.conversations.conversation import Conversation, Member
from shared.domain.ids import (
    AttachmentId,
    ClientMessageId,
    ConversationId,
    SequenceNumber,
    UserId,
)
from shared.domain.messages.attachment import Attachment
from shared.domain.messages.message import Message
from shared.domain.messages.receipt import Receipt
from shared.domain.people.user import Subscription, User
from shared.domain.times import from_ms, optional_from_ms, to_ms

Item = dict[str, Any]


def sequence_id(sequence: int) -> str:
    """Return the item id of a sequence, padded so that ids sort as numbers do."""
    return f"{sequence:012d}"


def message_item(message: Message, *, bucket: int) -> Item:
    return {
        "id": sequence_id(message.sequence),
        "conversationId": message.conversation_id,
        "bucket": bucket,
        "sequence": message.sequence,
        "senderId": message.sender_id,
        "clientMessageId": message.client_message_id,
        "kind": message.kind,
        "body": message.body,
        "attachments": [attachment_item(attachment) for attachment in message.attachments],
        "replyTo": message.reply_to,
        "sentAt": to_ms(message.sent_at),
    }


def message_from_item(item: Mapping[str, Any]) -> Message:
    return Message(
        conversation_id=ConversationId(item["conversationId"]),
        sequence=SequenceNumber(item["sequence"]),
        sender_id=UserId(item["senderId"]),
        client_message_id=ClientMessageId(item["clientMessageId"]),
        kind=item["kind"],
        body=item["body"],
        attachments=tuple(attachment_from_item(attachment) for attachment in item["attachments"]),
        reply_to=SequenceNumber(item["replyTo"]) if item["replyTo"] else None,
        sent_at=from_ms(item["sentAt"]),
        trace=item.get("trace", ""),
    )


def message_text(message: Message) -> str:
    return json.dumps(message_item(message, bucket=0), separators=(",", ":"))


def message_from_text(text: str | bytes) -> Message:
    return message_from_item(json.loads(text))


def attachment_item(attachment: Attachment) -> Item:
    return {
        "attachmentId": attachment.attachment_id,
        "fileName": attachment.file_name,
        "contentType": attachment.content_type,
        "sizeBytes": attachment.size_bytes,
        "width": attachment.width,
        "height": attachment.height,
        "state": attachment.state,
    }


def attachment_from_item(item: Mapping[str, Any]) -> Attachment:
    return Attachment(
        attachment_id=AttachmentId(item["attachmentId"]),
        file_name=item["fileName"],
        content_type=item["contentType"],
        size_bytes=item["sizeBytes"],
        width=item["width"],
        height=item["height"],
        state=item["state"],
    )


def conversation_item(conversation: Conversation) -> Item:
    return {
        "id": conversation.id,
        "kind": conversation.kind,
        "title": conversation.title,
        "members": [_member_item(member) for member in conversation.members],
        "createdAt": to_ms(conversation.created_at),
        "version": conversation.version,
        "blockedBy": list(conversation.blocked_by),
        "left": list(conversation.left),
        "leftByChoice": list(conversation.left_by_choice),
    }


def conversation_from_item(item: Mapping[str, Any]) -> Conversation:
    return Conversation(
        id=ConversationId(item["id"]),
        kind=item["kind"],
        title=item["title"],
        members=tuple(_member_from_item(member) for member in item["members"]),
        created_at=from_ms(item["createdAt"]),
        version=item["version"],
        blocked_by=tuple(UserId(user) for user in item["blockedBy"]),
        left=tuple(UserId(user) for user in item["left"]),
        # Absent in older items: users who had left by then may be added.
        left_by_choice=tuple(UserId(user) for user in item.get("leftByChoice", ())),
    )


def receipt_item(receipt: Receipt) -> Item:
    return {
        "delivered": receipt.delivered,
        "read": receipt.read,
        "updatedAt": to_ms(receipt.updated_at) if receipt.updated_at else None,
    }


def receipt_from_item(
    conversation_id: ConversationId, user_id: str, item: Mapping[str, Any]
) -> Receipt:
    return Receipt(
        conversation_id,
        UserId(user_id),
        delivered=SequenceNumber(item["delivered"]),
        read=SequenceNumber(item["read"]),
        updated_at=optional_from_ms(item["updatedAt"]),
    )


def user_item(user: User) -> Item:
    return {
        "id": user.id,
        "displayName": user.display_name,
        "avatarUrl": user.avatar_url,
        "contacts": list(user.contacts),
        "blocked": list(user.blocked),
        "subscriptions": [_subscription_item(subscription) for subscription in user.subscriptions],
        "preview": user.preview,
        **({"erased": True} if user.erased else {}),
    }


def user_from_item(item: Mapping[str, Any]) -> User:
    return User(
        id=UserId(item["id"]),
        display_name=item["displayName"],
        avatar_url=item["avatarUrl"],
        contacts=tuple(UserId(one) for one in item["contacts"]),
        blocked=tuple(UserId(one) for one in item["blocked"]),
        subscriptions=tuple(_subscription_from_item(one) for one in item["subscriptions"]),
        preview=item["preview"],
        erased=item.get("erased", False),
        etag=item.get("_etag", ""),
    )


def _subscription_item(subscription: Subscription) -> Item:
    item = {"id": subscription.id, "endpoint": subscription.endpoint}
    if subscription.platform == "webpush":
        return {**item, "p256dh": subscription.p256dh, "auth": subscription.auth}
    return {**item, "platform": subscription.platform}


def _subscription_from_item(item: Mapping[str, Any]) -> Subscription:
    keys = item.get("p256dh", ""), item.get("auth", "")
    return Subscription(item["id"], item["endpoint"], *keys, item.get("platform", "webpush"))


def _member_item(member: Member) -> Item:
    return {
        "userId": member.user_id,
        "role": member.role,
        "joinedAt": to_ms(member.joined_at),
        "historyFrom": member.history_from,
        "mutedUntil": to_ms(member.muted_until) if member.muted_until else None,
    }


def _member_from_item(item: Mapping[str, Any]) -> Member:
    return Member(
        user_id=UserId(item["userId"]),
        role=item["role"],
        joined_at=from_ms(item["joinedAt"]),
        history_from=SequenceNumber(item["historyFrom"]),
        muted_until=optional_from_ms(item["mutedUntil"]),
    )
