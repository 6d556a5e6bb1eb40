"""The twin of inboxes."""

from collections.abc import Iterable, Mapping
from typing import override

from shared.adapters.memory_line import Line
from shared.adapters.memory_state import RedisTwin
from shared.domain.ids import ConversationId, UserId
from shared.domain.live import NO_EPOCH, Epoch, InboxEntry, Touches
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
    async def begin_inbox(self, user_id: UserId, *, epoch: Epoch) -> list[InboxEntry]:
        async with self.line.call("begin_inbox"):
            kept = self.redis.kept
            if {kept.complete.get(user_id, epoch), kept.begun.get(user_id, epoch)} != {epoch}:
                kept.inboxes[user_id] = {}  # it may hold what its user has left since
                kept.complete.pop(user_id, None)
            kept.begun[user_id] = epoch
            listed = kept.inboxes.setdefault(user_id, {})
            return [InboxEntry(*one) for one in listed.items()]

    @override
    async def fill_inbox(
        self, user_id: UserId, entries: Iterable[InboxEntry], *, epoch: Epoch, complete: bool
    ) -> bool:
        async with self.line.call("fill_inbox"):
            kept = self.redis.kept
            if kept.begun.get(user_id) != epoch:
                return False
            for entry in entries:
                self.raise_inbox(user_id, entry.conversation_id, entry.activity_ms)
            if complete:
                del kept.begun[user_id]
                kept.complete[user_id] = epoch
            return True

    @override
    async def put_inbox(self, user_ids: Iterable[UserId], entry: InboxEntry) -> None:
        async with self.line.call("put_inbox"):
            for user_id in user_ids:
                self.raise_inbox(user_id, entry.conversation_id, entry.activity_ms)
                self.note_touch(user_id, entry.conversation_id)

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
            self.note_touch(user_id, conversation_id)

    @override
    async def touch(self, touched: Iterable[tuple[UserId, ConversationId]]) -> None:
        async with self.line.call("touch"):
            for user_id, conversation_id in touched:
                self.note_touch(user_id, conversation_id)

    @override
    async def touches(self, user_id: UserId, *, since: int | None, limit: int) -> Touches:
        async with self.line.call("touches"):
            floor = self.redis.kept.floors.setdefault(user_id, self.redis.stamp())
            touched = self.redis.kept.touched[user_id]
            newest, epoch = max([floor, *touched.values()]), self.redis.epoch()
            if since is None or not floor <= since <= newest:
                return Touches(False, newest, epoch=epoch)
            found = sorted((at, one) for one, at in touched.items() if at > since)
            return Touches(True, newest, tuple((one, at) for at, one in found[:limit]), epoch)

    def note_touch(self, user_id: UserId, conversation_id: ConversationId) -> None:
        """Touch a conversation, later than everything before, where somebody has a cursor."""
        if user_id in self.redis.kept.floors:
            self.redis.kept.touched[user_id][conversation_id] = self.redis.stamp()

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
