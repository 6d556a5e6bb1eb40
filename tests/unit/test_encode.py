"""The chat's values as JSON, in the names and shapes of the protocol."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.conversations.inbox import InboxItem, Row
from shared.domain.events import (
    AttachmentChanged,
    ConversationChanged,
    ConversationRemoved,
    Event,
    InboxChanged,
    JoinGroup,
    LeaveGroup,
    MessagePosted,
    PresenceChanged,
    Push,
    ReceiptAdvanced,
    ToConnection,
    ToGroup,
    ToUser,
    TypingChanged,
    conversation_group,
    watchers_group,
)
from shared.domain.ids import ConnectionId, SequenceNumber
from shared.domain.live import Head
from shared.domain.people.presence import Presence
from shared.domain.times import to_ms
from tests.unit.things import ANN, BOB, GROUP, NOON, attachment, group, member, message, receipt
from triggers import encode

NOON_MS = to_ms(NOON)
FILE: dict[str, Any] = {
    "attachmentId": "a-" + "0" * 31 + "1",
    "fileName": "cat.png",
    "contentType": "image/png",
    "sizeBytes": 20,
    "width": None,
    "height": None,
    "state": "pending",
}
ITEM = InboxItem(Row(group(), Head(is_cached=True), None, receipt()), 3, NOON)


def test_a_conversation_shows_its_members_and_not_their_settings() -> None:
    shown = encode.conversation(group(member(ANN, "owner", muted=NOON)), SequenceNumber(7))

    assert shown == {
        "id": GROUP,
        "kind": "group",
        "title": "Trip",
        "members": [{"userId": ANN, "role": "owner", "joinedAt": NOON_MS, "historyFrom": 1}],
        "createdAt": NOON_MS,
        "latestSequence": 7,
        "version": 1,
    }


def test_a_message_shows_what_its_sender_sees() -> None:
    said = replace(message(7, attachments=(attachment(),)), reply_to=SequenceNumber(3))

    (shown,) = encode.messages([(said, "read")])

    assert shown == {
        "conversationId": GROUP,
        "sequence": 7,
        "senderId": ANN,
        "clientMessageId": "00000000-0000-0000-0000-000000000007",
        "kind": "text",
        "body": "hello",
        "attachments": [FILE],
        "replyTo": 3,
        "sentAt": NOON_MS,
        "status": "read",
    }


@pytest.mark.parametrize(("at", "shown"), [(None, None), (NOON, NOON_MS)])
def test_a_time_that_is_not_known_is_null(at: Any, shown: int | None) -> None:
    assert encode.receipt(receipt(BOB, delivered=2, read=1, at=at)) == {
        "conversationId": GROUP,
        "userId": BOB,
        "delivered": 2,
        "read": 1,
        "updatedAt": shown,
    }
    assert encode.presence(Presence(BOB, "offline", at)) == {
        "userId": BOB,
        "status": "offline",
        "lastSeenAt": shown,
    }


EVENTS: list[tuple[Event, str, dict[str, Any]]] = [
    (MessagePosted(message(7)), "messagePosted", {"message": encode.message(message(7))}),
    (ReceiptAdvanced((receipt(),)), "receiptAdvanced", {"items": [encode.receipt(receipt())]}),
    (
        PresenceChanged((Presence(ANN, "online", NOON),)),
        "presenceChanged",
        {"items": [encode.presence(Presence(ANN, "online", NOON))]},
    ),
    (
        TypingChanged(GROUP, ANN, True),
        "typing",
        {"conversationId": GROUP, "userId": ANN, "typing": True},
    ),
    (
        ConversationChanged(group(), SequenceNumber(7)),
        "conversationChanged",
        {"conversation": encode.conversation(group(), SequenceNumber(7))},
    ),
    (InboxChanged(ITEM), "inboxChanged", {"item": encode.inbox_item(ITEM)}),
    (ConversationRemoved(GROUP), "conversationRemoved", {"conversationId": GROUP}),
    (
        AttachmentChanged(GROUP, SequenceNumber(7), attachment()),
        "attachmentChanged",
        {"conversationId": GROUP, "sequence": 7, "attachment": FILE},
    ),
]


@pytest.mark.parametrize(("event", "target", "argument"), EVENTS)
def test_each_event_has_its_name_and_one_argument(
    event: Event, target: str, argument: dict[str, Any]
) -> None:
    (item,) = encode.signalr_items([Push(event, ToUser(BOB))])

    assert item == {"userId": BOB, "target": target, "arguments": [argument]}


def test_effects_leave_in_their_order_for_user_group_or_connection() -> None:
    tv = ToConnection(ConnectionId("tv"))
    removed = ConversationRemoved(GROUP)

    items = encode.signalr_items(
        [
            LeaveGroup(ToUser(BOB), conversation_group(GROUP)),
            JoinGroup(tv, watchers_group(ANN)),
            Push(removed, ToGroup(GROUP)),
            Push(removed, tv),
        ]
    )

    pushed = {"target": "conversationRemoved", "arguments": [{"conversationId": GROUP}]}
    assert items == [
        {"userId": BOB, "groupName": GROUP, "action": "remove"},
        {"connectionId": "tv", "groupName": "presence:ann", "action": "add"},
        {"groupName": GROUP, **pushed},
        {"connectionId": "tv", **pushed},
    ]
