"""The twin of inboxes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import override

from shared.domain.conversations.mute import Mute
from shared.domain.ids import ConversationId, UserId
from shared.domain.live import NO_EPOCH, Epoch
from shared.domain.messages.receipt import Receipt
from shared.ports import Call, CallState, InboxEntry, InboxState, LiveSummary, Touches
from tests.twins.redis_data import RedisTwinPart


class MemoryInboxes(RedisTwinPart, InboxState):
    """Fulfils `InboxState`."""

    @override
    async def epoch(self) -> Epoch:
        async with self.link.call("epoch"):
            return self.redis.epoch()

    @override
    async def heartbeat(self, call: Call) -> tuple[CallState, int]:
        async with self.link.call("heartbeat"):
            return self.redis.enter(call), self.redis.data.activity[call.user_id]

    @override
    async def summaries(self, user_id: UserId, ids: Sequence[ConversationId]) -> list[LiveSummary]:
        async with self.link.call("summaries"):
            states, epoch = [(one, self.state_of(one)) for one in ids], self.redis.epoch()
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
    async def inbox_page(
        self,
        user_id: UserId,
        *,
        limit: int,
        after: InboxEntry | None,
        begun: Epoch | None = None,
    ) -> list[InboxEntry] | None:
        async with self.link.call("inbox_page"):
            data, epoch = self.redis.data, self.redis.epoch()
            inbox = data.inboxes.get(user_id)
            unfinished = data.begun.get(user_id) == epoch == begun
            if inbox is None or not (data.complete.get(user_id) == epoch or unfinished):
                return None
            entries = sorted((InboxEntry(*one) for one in inbox.items()), key=_order, reverse=True)
            return [e for e in entries if after is None or _order(e) < _order(after)][:limit]

    @override
    async def begin_inbox(self, user_id: UserId, *, epoch: Epoch) -> list[InboxEntry]:
        async with self.link.call("begin_inbox"):
            data = self.redis.data
            if {data.complete.get(user_id, epoch), data.begun.get(user_id, epoch)} != {epoch}:
                data.inboxes[user_id] = {}  # it may hold what its user has left since
                data.complete.pop(user_id, None)
            data.begun[user_id] = epoch
            listed = data.inboxes.setdefault(user_id, {})
            return [InboxEntry(*one) for one in listed.items()]

    @override
    async def fill_inbox(
        self, user_id: UserId, entries: Iterable[InboxEntry], *, epoch: Epoch, complete: bool
    ) -> bool:
        async with self.link.call("fill_inbox"):
            data = self.redis.data
            if data.begun.get(user_id) != epoch:
                return False
            for entry in entries:
                self.raise_inbox(user_id, entry.conversation_id, entry.activity_ms)
            if complete:
                del data.begun[user_id]
                data.complete[user_id] = epoch
            return True

    @override
    async def put_inbox(self, user_ids: Iterable[UserId], entry: InboxEntry) -> None:
        async with self.link.call("put_inbox"):
            for user_id in user_ids:
                self.raise_inbox(user_id, entry.conversation_id, entry.activity_ms)
                self.note_touch(user_id, entry.conversation_id)

    @override
    async def remember_mutes(
        self, user_id: UserId, mutes: Mapping[ConversationId, Mute], *, epoch: Epoch
    ) -> None:
        async with self.link.call("remember_mutes"):
            data = self.redis.data.mutes.setdefault(user_id, {})
            for one, mute in mutes.items():
                of, known = data.get(one, (epoch, mute))
                data[one] = (epoch, mute if of != epoch or mute.order >= known.order else known)

    @override
    async def drop_inbox(self, user_id: UserId, conversation_id: ConversationId) -> None:
        async with self.link.call("drop_inbox"):
            self.redis.data.inboxes.get(user_id, {}).pop(conversation_id, None)
            self.redis.data.group_memberships.get(user_id, {}).pop(conversation_id, None)
            self.redis.data.unconfirmed[user_id].discard(conversation_id)
            self.redis.data.mutes.get(user_id, {}).pop(conversation_id, None)
            self.note_touch(user_id, conversation_id)

    @override
    async def touch(self, touched: Iterable[tuple[UserId, ConversationId]]) -> None:
        async with self.link.call("touch"):
            for user_id, conversation_id in touched:
                self.note_touch(user_id, conversation_id)

    @override
    async def touches(self, user_id: UserId, *, since: int | None, limit: int) -> Touches:
        async with self.link.call("touches"):
            floor = self.redis.data.floors.setdefault(user_id, self.redis.stamp())
            touched = self.redis.data.touched[user_id]
            newest, epoch = max([floor, *touched.values()]), self.redis.epoch()
            if since is None or not floor <= since <= newest:
                return Touches(False, newest, epoch=epoch)
            found = sorted((at, one) for one, at in touched.items() if at > since)
            return Touches(True, newest, tuple((one, at) for at, one in found[:limit]), epoch)

    def note_touch(self, user_id: UserId, conversation_id: ConversationId) -> None:
        """Touch a conversation, later than everything before, where somebody has a cursor."""
        if user_id in self.redis.data.floors:
            self.redis.data.touched[user_id][conversation_id] = self.redis.stamp()

    def mute_of(self, user_id: UserId, conversation_id: ConversationId) -> Mute | None:
        """Return the mute that is kept of this epoch."""
        of, mute = self.redis.data.mutes.get(user_id, {}).get(conversation_id, (NO_EPOCH, None))
        return mute if of == self.redis.epoch() else None

    def raise_inbox(self, user_id: UserId, conversation_id: ConversationId, at_ms: int) -> None:
        inbox = self.redis.data.inboxes.get(user_id)
        if inbox is not None:  # one that is not there would be incomplete: reading it fills it
            inbox[conversation_id] = max(at_ms, inbox.get(conversation_id, 0))


def _order(entry: InboxEntry) -> tuple[int, str]:
    return entry.activity_ms, entry.conversation_id
