"""The twin of heads and receipts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import override

from shared.domain.conversations.conversation import Conversation
from shared.domain.ids import NO_SEQUENCE, ConnectionId, ConversationId, SequenceNumber, UserId
from shared.domain.live import NO_EPOCH, Epoch, Head
from shared.domain.messages.message import Message
from shared.domain.messages.receipt import Receipt, merge
from shared.domain.times import to_ms
from shared.ports import (
    Acknowledged,
    Call,
    CallState,
    ConversationHeads,
    Outcome,
    SenderErasedError,
)
from tests.twins.inbox import MemoryInboxes
from tests.twins.redis_data import GONE, ConversationState


class MemoryHeads(MemoryInboxes, ConversationHeads):
    """Fulfils `ConversationHeads`; a message raises the inboxes too."""

    @override
    async def enter_conversation(
        self, call: Call, conversation_id: ConversationId
    ) -> tuple[CallState, Head]:
        async with self.link.call("enter_conversation"):
            state = self.redis.enter(call)
            return state, self.state_of(conversation_id).head(self.redis.epoch())

    @override
    async def record_sent(
        self,
        message: Message,
        members: Iterable[UserId],
        *,
        connection_id: ConnectionId | None = None,
    ) -> bool:
        async with self.link.call("record_sent"):
            data, conversation_id = self.redis.data, message.conversation_id
            live = data.conversations.setdefault(conversation_id, ConversationState())
            if message.sequence > live.sequence:
                live.sequence, live.at, live.last = message.sequence, message.sent_at, message
            known = live.receipts.get(message.sender_id)
            if known is None or message.sequence > known.read:
                own = _own(message)
                live.receipts[message.sender_id] = merge(known, own) if known else own
                data.changed[conversation_id].add(message.sender_id)
            data.dirty[conversation_id] = self.redis.stamp()
            for user in members:
                self.raise_inbox(user, conversation_id, to_ms(message.sent_at))
                self.note_touch(user, conversation_id)
                data.activity[user] += 1
            live.told = max(live.told, message.sequence)
            if self.redis.account(message.sender_id) in GONE and not message.is_erased:
                raise SenderErasedError
            return bool(self.redis.live(message.sender_id).keys() - {connection_id})

    @override
    async def raise_heads(self, newest: Sequence[Message]) -> list[bool]:
        async with self.link.call("raise_heads"):
            return [self._raise_head(message) for message in newest]

    @override
    async def acknowledge(
        self,
        call: Call,
        conversation: Conversation,
        *,
        delivered: SequenceNumber,
        read: SequenceNumber,
        now: datetime,
    ) -> tuple[CallState, Acknowledged]:
        async with self.link.call("acknowledge"):
            state, user = self.redis.enter(call), call.user_id
            live = self.state_of(conversation.id)
            before = live.receipts.get(user) or Receipt(conversation.id, user)
            after = merge(before, Receipt(conversation.id, user, delivered, read, now))
            outcome = _outcome(live, conversation, before, after)
            self._touch_receipt(conversation, user)
            if outcome == "moved":
                live.receipts[user] = after
                self.redis.data.changed[conversation.id].add(user)
                live.acknowledged = self.redis.stamp()
                self.redis.data.dirty[conversation.id] = self.redis.stamp()
                return state, Acknowledged(outcome, after, live.sequence)
            if outcome == "unknown":
                before = Receipt(conversation.id, user)
            return state, Acknowledged(
                outcome, before, live.sequence if live.ready else NO_SEQUENCE
            )

    @override
    async def seed(
        self,
        conversation: Conversation,
        newest: Message | None,
        receipts: Iterable[Receipt],
        *,
        flushed: int = 0,
        epoch: Epoch = NO_EPOCH,
    ) -> None:
        async with self.link.call("seed"):
            live = self.redis.data.conversations.setdefault(conversation.id, ConversationState())
            live.epoch = epoch or live.epoch
            live.version = max(live.version, conversation.version)
            live.flushed = flushed or live.flushed
            if newest and newest.sequence >= live.sequence:
                live.sequence, live.last = newest.sequence, newest
            at = newest.sent_at if newest else conversation.created_at
            live.at = max(at, live.at) if live.at else at
            for receipt in receipts:
                known = live.receipts.get(receipt.user_id)
                live.receipts[receipt.user_id] = merge(known, receipt) if known else receipt

    @override
    async def head(self, conversation_id: ConversationId) -> Head:
        async with self.link.call("head"):
            return self.state_of(conversation_id).head(self.redis.epoch())

    @override
    async def receipts(
        self, ids: Sequence[ConversationId]
    ) -> list[tuple[Head, dict[UserId, Receipt]]]:
        async with self.link.call("receipts"):
            states, epoch = [self.state_of(one) for one in ids], self.redis.epoch()
            return [(live.head(epoch), dict(live.receipts)) for live in states]

    @override
    async def set_version(self, conversation_id: ConversationId, version: int) -> None:
        async with self.link.call("set_version"):
            live = self.redis.data.conversations.get(conversation_id)
            if live:
                live.version = max(live.version, version)

    def _raise_head(self, message: Message) -> bool:
        live = self.state_of(message.conversation_id)
        if not live.ready:
            return False
        if message.sequence > live.sequence:
            live.sequence, live.at, live.last = message.sequence, message.sent_at, message
            return True
        return 0 < live.told < message.sequence

    def _touch_receipt(self, conversation: Conversation, user: UserId) -> None:
        told = conversation.member_ids if conversation.kind == "direct" else (user,)
        for one in told:
            self.note_touch(one, conversation.id)


def _own(message: Message) -> Receipt:
    up_to = message.sequence
    return Receipt(message.conversation_id, message.sender_id, up_to, up_to, message.sent_at)


def _outcome(
    live: ConversationState, conversation: Conversation, before: Receipt, after: Receipt
) -> Outcome:
    if not live.ready:
        return "unknown"
    if live.version > conversation.version:
        return "stale"
    if (after.delivered, after.read) == (before.delivered, before.read):
        return "unchanged"
    if after.delivered > live.sequence and after.delivered > before.delivered:
        return "beyond"
    return "moved"
