"""The twin of inboxes."""

from collections.abc import Iterable, Mapping
from typing import override

from shared.adapters.memory_line import Line
from shared.adapters.memory_state import RedisTwin
from shared.domain.ids import ConversationId, UserId
from shared.domain.live import NO_EPOCH, Epoch, InboxEntry
from shared.domain.mute import Mute
from shared.ports import InboxState


class MemoryInboxes(InboxState):
    """Fulfils `InboxState`."""

    def __init__(self, redis: RedisTwin, *, line: Line | None = None) -> None:
        self.redis = redis
        self.line = line or Line()

    @override
    async def inbox_page(
        self, user_id: UserId, *, limit: int, after: InboxEntry | None
    ) -> list[InboxEntry] | None:
        async with self.line.call("inbox_page"):
            inbox = self.redis.kept.inboxes.get(user_id)
            if inbox is None or self.redis.kept.complete.get(user_id) != self.redis.epoch():
                return None
            entries = sorted((InboxEntry(*one) for one in inbox.items()), key=_order, reverse=True)
            return [e for e in entries if after is None or _order(e) < _order(after)][:limit]

    @override
    async def fill_inbox(
        self, user_id: UserId, entries: Iterable[InboxEntry], *, epoch: Epoch, complete: bool
    ) -> None:
        async with self.line.call("fill_inbox"):
            kept = self.redis.kept
            if kept.complete.get(user_id, NO_EPOCH) not in {NO_EPOCH, epoch}:
                kept.inboxes[user_id] = {}
                del kept.complete[user_id]
            kept.inboxes.setdefault(user_id, {})
            if complete:
                kept.complete[user_id] = epoch
            for entry in entries:
                self.raise_inbox(user_id, entry.conversation_id, entry.activity_ms)

    @override
    async def put_inbox(self, user_ids: Iterable[UserId], entry: InboxEntry) -> None:
        async with self.line.call("put_inbox"):
            for user_id in user_ids:
                self.raise_inbox(user_id, entry.conversation_id, entry.activity_ms)

    @override
    async def remember_mutes(
        self, user_id: UserId, mutes: Mapping[ConversationId, Mute], *, epoch: Epoch
    ) -> None:
        async with self.line.call("remember_mutes"):
            kept = self.redis.kept.mutes.setdefault(user_id, {})
            for one, mute in mutes.items():
                of, known = kept.get(one, (epoch, mute))
                kept[one] = (epoch, mute if of != epoch or mute.order >= known.order else known)

    @override
    async def drop_inbox(self, user_id: UserId, conversation_id: ConversationId) -> None:
        async with self.line.call("drop_inbox"):
            self.redis.kept.inboxes.get(user_id, {}).pop(conversation_id, None)
            self.redis.kept.seats.get(user_id, {}).pop(conversation_id, None)
            self.redis.kept.unsure[user_id].discard(conversation_id)
            self.redis.kept.mutes.get(user_id, {}).pop(conversation_id, None)

    def mute_of(self, user_id: UserId, conversation_id: ConversationId) -> Mute | None:
        """Return the mute that is kept of this epoch."""
        of, mute = self.redis.kept.mutes.get(user_id, {}).get(conversation_id, (NO_EPOCH, None))
        return mute if of == self.redis.epoch() else None

    def raise_inbox(self, user_id: UserId, conversation_id: ConversationId, at_ms: int) -> None:
        inbox = self.redis.kept.inboxes.get(user_id)
        if inbox is not None:  # one that is not there would be incomplete: reading it fills it
            inbox[conversation_id] = max(at_ms, inbox.get(conversation_id, 0))


def _order(entry: InboxEntry) -> tuple[int, str]:
    return entry.activity_ms, entry.conversation_id
