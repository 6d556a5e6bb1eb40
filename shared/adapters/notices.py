"""Notices as queue messages."""

import hashlib

from shared.adapters.items import Item
from shared.domain.ids import ConversationId, Sequence, UserId
from shared.domain.notification import Notice
from shared.ports import SetAside


def notice_id(notice: Notice) -> str:
    """Return the message id that makes a repeat of *notice* a duplicate to the queue."""
    recipients = ",".join(sorted(notice.recipients))
    digest = hashlib.sha256(recipients.encode()).hexdigest()[:16]
    span = f"{notice.first}-{notice.up_to}"
    what = "clear" if notice.clear else notice.attempt
    return f"{notice.conversation_id}:{span}:{digest}:{what}"


def notice_item(notice: Notice) -> Item:
    return {
        "conversationId": notice.conversation_id,
        "first": notice.first,
        "upTo": notice.up_to,
        "recipients": list(notice.recipients),
        "attempt": notice.attempt,
        **({"clear": True} if notice.clear else {}),
    }


def notice_from_item(item: Item) -> Notice:
    return Notice(
        ConversationId(item["conversationId"]),
        Sequence(item["first"]),
        Sequence(item["upTo"]),
        tuple(UserId(user) for user in item["recipients"]),
        item["attempt"],
        item.get("clear", False),
    )


def set_aside_item(item: SetAside) -> Item:
    return {"function": item.function, "document": item.document, "reason": item.reason}


def set_aside_from_item(item: Item) -> SetAside | None:
    """Return what was set aside; None when *item* is a notice."""
    if "function" not in item:
        return None
    return SetAside(item["function"], item["document"], item["reason"])
