"""The twin of live state."""

from collections.abc import Iterable
from collections.abc import Sequence as Series
from datetime import datetime
from typing import override

from shared.adapters.memory_inbox import MemoryInboxes
from shared.adapters.memory_line import Line
from shared.adapters.memory_state import GONE, Hot, RedisTwin
from shared.domain.conversation import Conversation
from shared.domain.ids import NO_SEQUENCE, ConnectionId, ConversationId, Sequence, UserId
from shared.domain.live import (
    NO_EPOCH,
    Acknowledged,
    Call,
    CallState,
    Epoch,
    Head,
    LiveConversation,
    LiveSummary,
    Outcome,
)
from shared.domain.message import Message
from shared.domain.receipt import Receipt, merge
from shared.domain.seats import Seat
from shared.domain.times import to_ms
from shared.ports import LiveState, SenderErasedError


class MemoryLiveState(MemoryInboxes, LiveState):
    """Fulfils `LiveState`."""

    def __init__(self, redis: RedisTwin, *, line: Line | None = None) -> None:
        super().__init__(redis, line=line)

    @override
    async def epoch(self) -> Epoch:
        async with self.line.call("epoch"):
            return self.redis.epoch()

    @override
    async def enter(self, call: Call) -> CallState:
        async with self.line.call("enter"):
            return self.redis.enter(call)

    @override
    async def take_quota(self, user_id: UserId, amount: int, *, most: int) -> int:
        async with self.line.call("take_quota"):
            return self.redis.take_quota(user_id, amount, most=most)

    @override
    async def enter_conversation(
        self, call: Call, conversation_id: ConversationId
    ) -> tuple[CallState, Head]:
        async with self.line.call("enter_conversation"):
            state = self.redis.enter(call)
            return state, self._hot(conversation_id).head(self.redis.epoch())

    @override
    async def record_sent(
        self,
        message: Message,
        members: Iterable[UserId],
        *,
        connection_id: ConnectionId | None = None,
    ) -> bool:
        async with self.line.call("record_sent"):
            kept, conversation_id = self.redis.kept, message.conversation_id
            hot = kept.hot.setdefault(conversation_id, Hot())
            if message.sequence > hot.sequence:
                hot.sequence, hot.at, hot.last = message.sequence, message.sent_at, message
            known = hot.receipts.get(message.sender_id)
            if known is None or message.sequence > known.read:
                own = _own(message)
                hot.receipts[message.sender_id] = merge(known, own) if known else own
                kept.changed[conversation_id].add(message.sender_id)
            kept.dirty[conversation_id] = self.redis.stamp()
            for user in members:
                self.raise_inbox(user, conversation_id, to_ms(message.sent_at))
                self.note_touch(user, conversation_id)
                kept.activity[user] += 1
            hot.told = max(hot.told, message.sequence)
            if self.redis.account(message.sender_id) in GONE and not message.is_erased:
                raise SenderErasedError
            return bool(self.redis.live(message.sender_id).keys() - {connection_id})

    @override
    async def raise_heads(self, newest: Series[Message]) -> list[bool]:
        async with self.line.call("raise_heads"):
            return [self._raise_head(message) for message in newest]

    @override
    async def heartbeat(self, call: Call) -> tuple[CallState, int]:
        async with self.line.call("heartbeat"):
            return self.redis.enter(call), self.redis.kept.activity[call.user_id]

    @override
    async def acknowledge(
        self,
        call: Call,
        conversation: Conversation,
        *,
        delivered: Sequence,
        read: Sequence,
        now: datetime,
    ) -> tuple[CallState, Acknowledged]:
        async with self.line.call("acknowledge"):
            state, user = self.redis.enter(call), call.user_id
            hot = self._hot(conversation.id)
            before = hot.receipts.get(user) or Receipt(conversation.id, user)
            after = merge(before, Receipt(conversation.id, user, delivered, read, now))
            outcome = _outcome(hot, conversation, before, after)
            self._touch_receipt(conversation, user)
            if outcome == "moved":
                hot.receipts[user] = after
                self.redis.kept.changed[conversation.id].add(user)
                hot.acknowledged = self.redis.stamp()
                self.redis.kept.dirty[conversation.id] = self.redis.stamp()
                return state, Acknowledged(outcome, after, hot.sequence)
            if outcome == "unknown":
                before = Receipt(conversation.id, user)
            return state, Acknowledged(outcome, before, hot.sequence if hot.ready else NO_SEQUENCE)

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
        async with self.line.call("seed"):
            hot = self.redis.kept.hot.setdefault(conversation.id, Hot())
            hot.epoch = epoch or hot.epoch
            hot.version = max(hot.version, conversation.version)
            hot.flushed = flushed or hot.flushed
            if newest and newest.sequence >= hot.sequence:
                hot.sequence, hot.last = newest.sequence, newest
            at = newest.sent_at if newest else conversation.created_at
            hot.at = max(at, hot.at) if hot.at else at
            for receipt in receipts:
                known = hot.receipts.get(receipt.user_id)
                hot.receipts[receipt.user_id] = merge(known, receipt) if known else receipt

    @override
    async def head(self, conversation_id: ConversationId) -> Head:
        async with self.line.call("head"):
            return self._hot(conversation_id).head(self.redis.epoch())

    @override
    async def receipts(
        self, ids: Series[ConversationId]
    ) -> list[tuple[Head, dict[UserId, Receipt]]]:
        async with self.line.call("receipts"):
            hots, epoch = [self._hot(one) for one in ids], self.redis.epoch()
            return [(hot.head(epoch), dict(hot.receipts)) for hot in hots]

    @override
    async def summaries(self, user_id: UserId, ids: Series[ConversationId]) -> list[LiveSummary]:
        async with self.line.call("summaries"):
            hots, epoch = [(one, self._hot(one)) for one in ids], self.redis.epoch()
            return [
                LiveSummary(
                    hot.head(epoch),
                    hot.last,
                    hot.receipts.get(user_id) or Receipt(one, user_id),
                    self.mute_of(user_id, one),
                )
                for one, hot in hots
            ]

    @override
    async def set_version(self, conversation_id: ConversationId, version: int) -> None:
        async with self.line.call("set_version"):
            hot = self.redis.kept.hot.get(conversation_id)
            if hot:
                hot.version = max(hot.version, version)

    @override
    async def repaired_version(self, conversation_id: ConversationId) -> int:
        async with self.line.call("repaired_version"):
            return self.redis.kept.repaired.get(conversation_id, 0)

    @override
    async def mark_repaired(
        self, conversation_id: ConversationId, version: int, *, follows: int | None = None
    ) -> None:
        async with self.line.call("mark_repaired"):
            known = self.redis.kept.repaired.get(conversation_id, 0)
            if follows is None or known == follows:
                self.redis.kept.repaired[conversation_id] = max(known, version)

    @override
    async def enter_connection(self, call: Call) -> tuple[CallState, list[Seat] | None]:
        async with self.line.call("enter_connection"):
            return self.redis.enter(call), self._seats(call.user_id)

    @override
    async def fill_seats(self, user_id: UserId, seats: Iterable[Seat]) -> None:
        async with self.line.call("fill_seats"):
            self.redis.kept.seats.setdefault(user_id, {})
            for seat in seats:
                self._take_seat(user_id, seat)

    @override
    async def take_seat(self, user_ids: Iterable[UserId], seat: Seat) -> None:
        async with self.line.call("take_seat"):
            for user_id in user_ids:
                self._take_seat(user_id, seat)
                self.redis.kept.unsure[user_id].add(seat.conversation_id)

    @override
    async def renew_seats(self, user_id: UserId, seats: Iterable[Seat]) -> list[Seat] | None:
        async with self.line.call("renew_seats"):
            taken = self.redis.kept.seats.get(user_id, {})
            for seat in seats:
                if seat.conversation_id in taken:
                    self._take_seat(user_id, seat)
                self.redis.kept.unsure[user_id].discard(seat.conversation_id)
            return self._seats(user_id)

    @override
    async def forget(self, user_id: UserId) -> int:
        async with self.line.call("forget"):
            return self.redis.kept.forget(user_id)

    @override
    async def dirty_conversations(self, *, limit: int) -> list[ConversationId]:
        async with self.line.call("dirty_conversations"):
            return sorted(self.redis.kept.dirty, key=self.redis.kept.dirty.__getitem__)[:limit]

    @override
    async def snapshots(self, ids: Series[ConversationId]) -> list[LiveConversation]:
        async with self.line.call("snapshots"):
            return [self._snapshot(one) for one in ids]

    @override
    async def flushed(self, states: Series[LiveConversation]) -> None:
        async with self.line.call("flushed"):
            dirty = self.redis.kept.dirty
            for state in states:
                hot = self._hot(state.conversation_id)
                if state.head.known and hot.ready:
                    hot.flushed = max(hot.flushed, state.stamp)
                if hot.acknowledged < state.stamp:
                    hot.acknowledged = 0
                if dirty.get(state.conversation_id, state.stamp) < state.stamp:
                    del dirty[state.conversation_id]

    def _hot(self, conversation_id: ConversationId) -> Hot:
        return self.redis.kept.hot.get(conversation_id) or Hot()

    def _raise_head(self, message: Message) -> bool:
        hot = self._hot(message.conversation_id)
        if not hot.ready:
            return False
        if message.sequence > hot.sequence:
            hot.sequence, hot.at, hot.last = message.sequence, message.sent_at, message
            return True
        return 0 < hot.told < message.sequence

    def _touch_receipt(self, conversation: Conversation, user: UserId) -> None:
        told = conversation.member_ids if conversation.kind == "direct" else (user,)
        for one in told:
            self.note_touch(one, conversation.id)

    def _snapshot(self, conversation_id: ConversationId) -> LiveConversation:
        hot = self._hot(conversation_id)
        changed = self.redis.kept.changed.pop(conversation_id, set())
        receipts = tuple(hot.receipts.values())
        stamp = self.redis.stamp()
        left = tuple(changed)
        told = not hot.acknowledged
        return LiveConversation(
            conversation_id, hot.head(hot.epoch), receipts, left, stamp, hot.flushed, told
        )

    def _seats(self, user_id: UserId) -> list[Seat] | None:
        seats, unsure = self.redis.kept.seats.get(user_id), self.redis.kept.unsure[user_id]
        if seats is None:
            return None
        return [Seat(one, at, one not in unsure) for one, at in seats.items()]

    def _take_seat(self, user_id: UserId, seat: Seat) -> None:
        seats = self.redis.kept.seats.get(user_id)
        if seats is not None:  # see `raise_inbox`
            before = seats.get(seat.conversation_id, seat.taken_at)
            seats[seat.conversation_id] = max(before, seat.taken_at)


def _own(message: Message) -> Receipt:
    up_to = message.sequence
    return Receipt(message.conversation_id, message.sender_id, up_to, up_to, message.sent_at)


def _outcome(hot: Hot, conversation: Conversation, before: Receipt, after: Receipt) -> Outcome:
    if not hot.ready:
        return "unknown"
    if hot.version > conversation.version:
        return "stale"
    if (after.delivered, after.read) == (before.delivered, before.read):
        return "unchanged"
    if after.delivered > hot.sequence and after.delivered > before.delivered:
        return "beyond"
    return "moved"
