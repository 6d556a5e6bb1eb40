"""What Redis answers, as values of the live state."""

from collections.abc import Iterable
from itertools import batched
from typing import Any

from shared.adapters.items import message_from_text
from shared.domain.conversations.group_memberships import GroupMembership
from shared.domain.conversations.mute import Mute
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.domain.live import Epoch, Head
from shared.domain.messages.receipt import Receipt
from shared.domain.times import from_ms, optional_from_ms
from shared.ports import InboxEntry, LiveConversation, LiveSummary

HEAD_FIELDS = ("ready", "head", "version", "at")
READY = ""  # the member that says a sorted set is complete; its score puts it at the far end
COUNT = "#"  # the member of an inbox whose score, below zero, counts messages to the user


def group_memberships_of(
    flat: list[bytes], unconfirmed: Iterable[bytes]
) -> list[GroupMembership] | None:
    """Return the group memberships a sorted set holds; None when it is not complete."""
    scored = {text_of(member): int(float(score)) for member, score in pairs_of(flat)}
    if scored.pop(READY, None) is None:
        return None
    waiting = {text_of(conversation_id) for conversation_id in unconfirmed}
    return [
        GroupMembership(
            ConversationId(conversation_id), from_ms(at), confirmed=conversation_id not in waiting
        )
        for conversation_id, at in scored.items()
    ]


def head_of(row: list[bytes | None], epoch: Epoch) -> Head:
    ready, head, version, at = row
    return Head(
        is_cached=bool(epoch) and ready == epoch.encode(),
        sequence=SequenceNumber(int(head or 0)),
        version=int(version or 0),
        at=optional_from_ms(int(at)) if at else None,
        epoch=epoch,
    )


def summary_of(
    conversation_id: ConversationId,
    user_id: UserId,
    row: list[bytes | None],
    epoch: Epoch,
    mute: Mute | None,
) -> LiveSummary:
    last, delivered, read, moved_at = row[4:]
    receipt = Receipt(
        conversation_id,
        user_id,
        SequenceNumber(int(delivered or 0)),
        SequenceNumber(int(read or 0)),
        from_ms(int(moved_at)) if moved_at else None,
    )
    message = message_from_text(last) if last else None
    return LiveSummary(head_of(row[:4], epoch), message, receipt, mute)


def snapshot_of(
    conversation_id: ConversationId, flat: list[bytes], changed: list[bytes], stamp: int
) -> LiveConversation:
    fields = fields_of(flat)
    # The store refuses a flush that does not follow the one before it: the epoch does not matter.
    epoch = Epoch(text_of(fields.get("ready", b"")))
    head, receipts = head_and_receipts(conversation_id, fields, epoch)
    users, base = tuple(UserId(text_of(user)) for user in changed), int(fields.get("flushed", 0))
    told = "acknowledged" not in fields
    merged = tuple(receipts.values())
    return LiveConversation(conversation_id, head, merged, users, stamp, base, told)


def head_and_receipts(
    conversation_id: ConversationId, fields: dict[str, bytes], epoch: Epoch
) -> tuple[Head, dict[UserId, Receipt]]:
    head = head_of([fields.get(name) for name in HEAD_FIELDS], epoch)
    return head, {receipt.user_id: receipt for receipt in receipts_of(conversation_id, fields)}


def receipts_of(conversation_id: ConversationId, fields: dict[str, bytes]) -> list[Receipt]:
    users = [name[2:] for name in fields if name.startswith("d:")]
    return [
        Receipt(
            conversation_id,
            UserId(user),
            SequenceNumber(int(fields[f"d:{user}"])),
            SequenceNumber(int(fields.get(f"r:{user}", 0))),
            optional_from_ms(int(fields.get(f"t:{user}", 0))),
        )
        for user in users
    ]


def fields_of(flat: list[bytes] | dict[bytes, bytes]) -> dict[str, bytes]:
    pairs = flat.items() if isinstance(flat, dict) else pairs_of(flat)
    return {text_of(name): value for name, value in pairs}


def pairs_of(flat: list[Any]) -> list[tuple[Any, Any]]:
    return [(pair[0], pair[1]) for pair in batched(flat, 2, strict=True)]


def follows(entry: InboxEntry, cursor: InboxEntry) -> bool:
    mine = (entry.activity_ms, entry.conversation_id)
    return mine < (cursor.activity_ms, cursor.conversation_id)


def text_of(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
