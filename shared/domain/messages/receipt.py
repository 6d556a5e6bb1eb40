"""Receipts: two watermarks per member and conversation, merged by maximum.

Sequences have no gaps and people read in order, so two numbers say how much of a conversation a
member has. Acknowledgements come late, doubled and out of order; the maximum makes that harmless
(docs/decisions/0007-receipts-are-watermarks.md).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.domain.conversations.conversation import Conversation
from shared.domain.errors import InvalidError, SequenceOutOfRangeError
from shared.domain.ids import NO_SEQUENCE, ConversationId, SequenceNumber, UserId


@dataclass(frozen=True, slots=True)
class Receipt:
    """How far one member has got.

    Args:
        delivered: Every message up to this sequence has reached one of the member's devices.
        read: Every message up to this sequence was read; never above `delivered`.
        updated_at: When a watermark last moved; None before the first time.
    """

    conversation_id: ConversationId
    user_id: UserId
    delivered: SequenceNumber = NO_SEQUENCE
    read: SequenceNumber = NO_SEQUENCE
    updated_at: datetime | None = None


def merge(one: Receipt, other: Receipt) -> Receipt:
    """Return the further of two states of one receipt, watermark by watermark.

    The merge is commutative, associative and idempotent, so replicas and replays converge.
    """
    delivered = SequenceNumber(max(one.delivered, other.delivered, one.read, other.read))
    read = SequenceNumber(max(one.read, other.read))
    times = [at for at in (one.updated_at, other.updated_at) if at is not None]
    updated_at = max(times) if times else None
    return replace(one, delivered=delivered, read=read, updated_at=updated_at)


def check_acknowledgement(
    delivered: SequenceNumber | None, read: SequenceNumber | None, *, latest: SequenceNumber
) -> None:
    """Refuse an acknowledgement of messages that do not exist.

    Raises:
        InvalidError: Neither watermark is given.
        SequenceOutOfRangeError: A watermark lies past *latest*: the client has it wrong.
    """
    if delivered is None and read is None:
        raise InvalidError("delivered: give delivered, read or both")
    up_to = max(delivered or 0, read or 0)
    if up_to > latest:
        raise SequenceOutOfRangeError(up_to=up_to, latest=latest)


def unread_count(
    *, latest: SequenceNumber, read: SequenceNumber, history_from: SequenceNumber
) -> int:
    """Return how many messages a member has not read: a subtraction, so it cannot drift."""
    return max(0, latest - max(read, history_from - 1))


def receipts_of(
    conversation: Conversation, receipts: Mapping[UserId, Receipt]
) -> Iterator[Receipt]:
    """Yield one receipt for each member; an empty one for who has never acknowledged."""
    for user_id in conversation.member_ids:
        yield receipts.get(user_id) or Receipt(conversation.id, user_id)


def receipts_shown(
    conversation: Conversation, receipts: Mapping[UserId, Receipt], *, to: UserId
) -> Iterator[Receipt]:
    """Yield the receipts that the member *to* may see: across a block the other's is empty.

    A user who has blocked another, or is blocked, no longer learns when the other reads. In groups
    all members see all receipts: whoever is in a group expects to be seen reading there.
    """
    for receipt in receipts_of(conversation, receipts):
        if conversation.blocked_by and receipt.user_id != to:
            yield Receipt(conversation.id, receipt.user_id)
        else:
            yield receipt
