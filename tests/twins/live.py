"""The twin of live state."""

from collections.abc import Iterable
from collections.abc import Sequence as Series
from datetime import datetime
from typing import override

from shared.domain.conversation import Conversation
from shared.domain.ids import NO_SEQUENCE, ConnectionId, ConversationId, Sequence, UserId
from shared.domain.live import NO_EPOCH, Epoch, Head
from shared.domain.message import Message
from shared.domain.receipt import Receipt, merge
from shared.domain.seats import Seat
from shared.domain.times import to_ms
from shared.ports import (
    Acknowledged,
    Call,
    CallState,
    LiveConversation,
    LiveState,
    LiveSummary,
    Outcome,
    SenderErasedError,
)
from tests.twins.faulty_link import FaultyLink
from tests.twins.inbox import MemoryInboxes
from tests.twins.redis_data import GONE, ConversationState, RedisTwin


class MemoryLiveState(MemoryInboxes, LiveState):
    """Fulfils `LiveState`."""

    def __init__(self, redis: RedisTwin, *, link: FaultyLink | None = None) -> None:
        super().__init__(redis, link=link)

    @override
    async def epoch(self) -> Epoch:
        async with self.link.call("epoch"):
            return self.redis.epoch()

    @override
    async def enter(self, call: Call) -> CallState:
        async with self.link.call("enter"):
            return self.redis.enter(call)

    @override
    async def take_quota(self, user_id: UserId, amount: int, *, most: int) -> int:
        async with self.link.call("take_quota"):
            return self.redis.take_quota(user_id, amount, most=most)

    @override
    async def enter_conversation(
        self, call: Call, conversation_id: ConversationId
    ) -> tuple[CallState, Head]:
        async with self.link.call("enter_conversation"):
            state = self.redis.enter(call)
            return state, self._conversation(conversation_id).head(self.redis.epoch())

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
    async def raise_heads(self, newest: Series[Message]) -> list[bool]:
        async with self.link.call("raise_heads"):
            return [self._raise_head(message) for message in newest]

    @override
    async def heartbeat(self, call: Call) -> tuple[CallState, int]:
        async with self.link.call("heartbeat"):
            return self.redis.enter(call), self.redis.data.activity[call.user_id]

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
        async with self.link.call("acknowledge"):
            state, user = self.redis.enter(call), call.user_id
            live = self._conversation(conversation.id)
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
            return self._conversation(conversation_id).head(self.redis.epoch())

    @override
    async def receipts(
        self, ids: Series[ConversationId]
    ) -> list[tuple[Head, dict[UserId, Receipt]]]:
        async with self.link.call("receipts"):
            states, epoch = [self._conversation(one) for one in ids], self.redis.epoch()
            return [(live.head(epoch), dict(live.receipts)) for live in states]

    @override
    async def summaries(self, user_id: UserId, ids: Series[ConversationId]) -> list[LiveSummary]:
        async with self.link.call("summaries"):
            states, epoch = [(one, self._conversation(one)) for one in ids], self.redis.epoch()
            return [
                LiveSummary(
                    live.head(epoch),
                    live.last,
                    live.receipts.get(user_id) or Receipt(one, user_id),
                    self.mute_of(user_id, one),
                )
                for one, live in states
            ]

    @override
    async def set_version(self, conversation_id: ConversationId, version: int) -> None:
        async with self.link.call("set_version"):
            live = self.redis.data.conversations.get(conversation_id)
            if live:
                live.version = max(live.version, version)

    @override
    async def repaired_version(self, conversation_id: ConversationId) -> int:
        async with self.link.call("repaired_version"):
            return self.redis.data.repaired.get(conversation_id, 0)

    @override
    async def mark_repaired(
        self, conversation_id: ConversationId, version: int, *, follows: int | None = None
    ) -> None:
        async with self.link.call("mark_repaired"):
            known = self.redis.data.repaired.get(conversation_id, 0)
            if follows is None or known == follows:
                self.redis.data.repaired[conversation_id] = max(known, version)

    @override
    async def enter_connection(self, call: Call) -> tuple[CallState, list[Seat] | None]:
        async with self.link.call("enter_connection"):
            return self.redis.enter(call), self._seats(call.user_id)

    @override
    async def fill_seats(self, user_id: UserId, seats: Iterable[Seat]) -> None:
        async with self.link.call("fill_seats"):
            self.redis.data.seats.setdefault(user_id, {})
            for seat in seats:
                self._take_seat(user_id, seat)

    @override
    async def take_seat(self, user_ids: Iterable[UserId], seat: Seat) -> None:
        async with self.link.call("take_seat"):
            for user_id in user_ids:
                self._take_seat(user_id, seat)
                self.redis.data.unsure[user_id].add(seat.conversation_id)

    @override
    async def renew_seats(self, user_id: UserId, seats: Iterable[Seat]) -> list[Seat] | None:
        async with self.link.call("renew_seats"):
            taken = self.redis.data.seats.get(user_id, {})
            for seat in seats:
                if seat.conversation_id in taken:
                    self._take_seat(user_id, seat)
                self.redis.data.unsure[user_id].discard(seat.conversation_id)
            return self._seats(user_id)

    @override
    async def forget(self, user_id: UserId) -> int:
        async with self.link.call("forget"):
            return self.redis.data.forget(user_id)

    @override
    async def dirty_conversations(self, *, limit: int) -> list[ConversationId]:
        async with self.link.call("dirty_conversations"):
            return sorted(self.redis.data.dirty, key=self.redis.data.dirty.__getitem__)[:limit]

    @override
    async def snapshots(self, ids: Series[ConversationId]) -> list[LiveConversation]:
        async with self.link.call("snapshots"):
            return [self._snapshot(one) for one in ids]

    @override
    async def flushed(self, states: Series[LiveConversation]) -> None:
        async with self.link.call("flushed"):
            dirty = self.redis.data.dirty
            for state in states:
                live = self._conversation(state.conversation_id)
                if state.head.known and live.ready:
                    live.flushed = max(live.flushed, state.stamp)
                if live.acknowledged < state.stamp:
                    live.acknowledged = 0
                if dirty.get(state.conversation_id, state.stamp) < state.stamp:
                    del dirty[state.conversation_id]

    def _conversation(self, conversation_id: ConversationId) -> ConversationState:
        return self.redis.data.conversations.get(conversation_id) or ConversationState()

    def _raise_head(self, message: Message) -> bool:
        live = self._conversation(message.conversation_id)
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

    def _snapshot(self, conversation_id: ConversationId) -> LiveConversation:
        live = self._conversation(conversation_id)
        changed = self.redis.data.changed.pop(conversation_id, set())
        receipts = tuple(live.receipts.values())
        stamp = self.redis.stamp()
        left = tuple(changed)
        told = not live.acknowledged
        return LiveConversation(
            conversation_id, live.head(live.epoch), receipts, left, stamp, live.flushed, told
        )

    def _seats(self, user_id: UserId) -> list[Seat] | None:
        seats, unsure = self.redis.data.seats.get(user_id), self.redis.data.unsure[user_id]
        if seats is None:
            return None
        return [Seat(one, at, one not in unsure) for one, at in seats.items()]

    def _take_seat(self, user_id: UserId, seat: Seat) -> None:
        seats = self.redis.data.seats.get(user_id)
        if seats is not None:  # see `raise_inbox`
            before = seats.get(seat.conversation_id, seat.taken_at)
            seats[seat.conversation_id] = max(before, seat.taken_at)


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
