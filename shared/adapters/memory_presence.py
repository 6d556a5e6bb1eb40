"""The twins of presence and notification marks."""

from collections.abc import Iterable
from collections.abc import Sequence as Series
from datetime import timedelta
from typing import override

from shared.adapters.memory_line import Line
from shared.adapters.memory_state import RedisTwin
from shared.domain.ids import NO_SEQUENCE, ConnectionId, ConversationId, Sequence, UserId
from shared.domain.presence import Presence
from shared.ports import NoticeMarks, PresenceStore

_TYPING = timedelta(milliseconds=2_500)


class MemoryPresenceStore(PresenceStore):
    """Fulfils `PresenceStore`; what was told to the website is in `redis.published`."""

    def __init__(self, redis: RedisTwin, *, line: Line | None = None) -> None:
        self.redis = redis
        self.line = line or Line()

    @override
    async def open(
        self, user_id: UserId, connection_id: ConnectionId, *, most: int
    ) -> list[ConnectionId]:
        async with self.line.call("open"):
            return self.redis.open(user_id, connection_id, most=most)

    @override
    async def close(self, user_id: UserId, connection_id: ConnectionId) -> bool:
        async with self.line.call("close"):
            return self.redis.close(user_id, connection_id)

    @override
    async def list_presences(self, user_ids: Series[UserId]) -> list[Presence]:
        async with self.line.call("list_presences"):
            return [self._presence(user) for user in user_ids]

    @override
    async def lapse(self, *, limit: int) -> list[Presence]:
        async with self.line.call("lapse"):
            looked_at = sorted(self.redis.kept.index)
            gone = [user for user in looked_at if not self.redis.live(user)][:limit]
            return [self._presence(user) for user in gone if self.redis.lapse(user)]

    @override
    async def connections(self, user_id: UserId) -> list[ConnectionId]:
        async with self.line.call("connections"):
            return list(self.redis.live(user_id))

    @override
    async def swap_watched(
        self, connection_id: ConnectionId, user_ids: Iterable[UserId]
    ) -> set[UserId]:
        async with self.line.call("swap_watched"):
            before = self.redis.kept.watched.get(connection_id, set())
            self.redis.kept.watched[connection_id] = set(user_ids)
            return before

    @override
    async def publish(self, presence: Presence) -> None:
        async with self.line.call("publish"):
            self.redis.published.append(presence)

    @override
    async def mark_typing(
        self, user_id: UserId, conversation_id: ConversationId, *, typing: bool
    ) -> bool:
        async with self.line.call("mark_typing"):
            key, now = (user_id, conversation_id), self.redis.now()
            said, times = self.redis.kept.typing.get(key, (False, {}))
            if times and now - max(times.values()) >= _TYPING * 4:
                said, times = False, {}
            if (not typing and not said) or now - times.get(typing, now - _TYPING) < _TYPING:
                return False
            self.redis.kept.typing[key] = typing, {**times, typing: now}
            return True

    def _presence(self, user_id: UserId) -> Presence:
        seen = self.redis.kept.seen.get(user_id)
        at = seen.at if seen else None
        return Presence(user_id, "online" if self.redis.live(user_id) else "offline", at)


class MemoryNoticeMarks(NoticeMarks):
    """Fulfils `NoticeMarks`."""

    def __init__(self, redis: RedisTwin, *, line: Line | None = None) -> None:
        self.redis = redis
        self.line = line or Line()

    @override
    async def claim(
        self, user_id: UserId, conversation_id: ConversationId, up_to: Sequence, *, by: str
    ) -> bool:
        async with self.line.call("claim"):
            kept, key = self.redis.kept, (user_id, conversation_id)
            claimed, claimant = kept.claims.get(key, (NO_SEQUENCE, by))
            if up_to <= kept.marks.get(key, 0) or (up_to <= claimed and claimant != by):
                return False
            kept.claims[key] = up_to, by
            return True

    @override
    async def confirm(
        self, user_id: UserId, conversation_id: ConversationId, up_to: Sequence
    ) -> None:
        async with self.line.call("confirm"):
            kept, key = self.redis.kept, (user_id, conversation_id)
            kept.marks[key] = max(up_to, kept.marks.get(key, NO_SEQUENCE))
            self._unclaim(key, up_to)

    @override
    async def release(
        self, user_id: UserId, conversation_id: ConversationId, up_to: Sequence
    ) -> None:
        async with self.line.call("release"):
            marks, key = self.redis.kept.marks, (user_id, conversation_id)
            if marks.get(key) == up_to:
                del marks[key]
            self._unclaim(key, up_to)

    def _unclaim(self, key: tuple[UserId, ConversationId], up_to: Sequence) -> None:
        claims = self.redis.kept.claims
        if key in claims and claims[key][0] == up_to:
            del claims[key]

    @override
    async def list_marks(self, asked: Series[tuple[UserId, ConversationId]]) -> list[Sequence]:
        if not asked:
            return []
        async with self.line.call("list_marks"):
            return [self.redis.kept.marks.get(key, NO_SEQUENCE) for key in asked]
