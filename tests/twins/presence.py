"""The twins of presence and notification marks."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import override

from shared.domain.ids import NO_SEQUENCE, ConnectionId, ConversationId, SequenceNumber, UserId
from shared.domain.people.presence import Presence
from shared.ports import NotificationClaims, PresenceStore
from tests.twins.redis_data import RedisTwinPart

_TYPING = timedelta(milliseconds=2_500)


class MemoryPresenceStore(RedisTwinPart, PresenceStore):
    """Fulfils `PresenceStore`; what was told to the website is in `redis.published`."""

    @override
    async def open(
        self, user_id: UserId, connection_id: ConnectionId, *, most: int
    ) -> list[ConnectionId]:
        async with self.link.call("open"):
            return self.redis.open(user_id, connection_id, most=most)

    @override
    async def close(self, user_id: UserId, connection_id: ConnectionId) -> bool:
        async with self.link.call("close"):
            return self.redis.close(user_id, connection_id)

    @override
    async def list_presences(self, user_ids: Sequence[UserId]) -> list[Presence]:
        async with self.link.call("list_presences"):
            return [self._presence(user) for user in user_ids]

    @override
    async def lapse(self, *, limit: int) -> list[Presence]:
        async with self.link.call("lapse"):
            looked_at = sorted(self.redis.data.index)
            gone = [user for user in looked_at if not self.redis.live(user)][:limit]
            return [self._presence(user) for user in gone if self.redis.lapse(user)]

    @override
    async def connections(self, user_id: UserId) -> list[ConnectionId]:
        async with self.link.call("connections"):
            return list(self.redis.live(user_id))

    @override
    async def swap_watched(
        self, connection_id: ConnectionId, user_ids: Iterable[UserId]
    ) -> set[UserId]:
        async with self.link.call("swap_watched"):
            before = self.redis.data.watched.get(connection_id, set())
            self.redis.data.watched[connection_id] = set(user_ids)
            return before

    @override
    async def publish(self, presence: Presence) -> None:
        async with self.link.call("publish"):
            self.redis.published.append(presence)

    @override
    async def mark_typing(
        self, user_id: UserId, conversation_id: ConversationId, *, typing: bool
    ) -> bool:
        async with self.link.call("mark_typing"):
            key, now = (user_id, conversation_id), self.redis.now()
            said, times = self.redis.data.typing.get(key, (False, {}))
            if times and now - max(times.values()) >= _TYPING * 4:
                said, times = False, {}
            if (not typing and not said) or now - times.get(typing, now - _TYPING) < _TYPING:
                return False
            self.redis.data.typing[key] = typing, {**times, typing: now}
            return True

    def _presence(self, user_id: UserId) -> Presence:
        seen = self.redis.data.seen.get(user_id)
        at = seen.at if seen else None
        return Presence(user_id, "online" if self.redis.live(user_id) else "offline", at)


class MemoryNotificationClaims(RedisTwinPart, NotificationClaims):
    """Fulfils `NotificationClaims`."""

    @override
    async def claim(
        self, user_id: UserId, conversation_id: ConversationId, up_to: SequenceNumber, *, by: str
    ) -> bool:
        async with self.link.call("claim"):
            data, key = self.redis.data, (user_id, conversation_id)
            claimed, claimant = data.claims.get(key, (NO_SEQUENCE, by))
            if up_to <= data.marks.get(key, 0) or (up_to <= claimed and claimant != by):
                return False
            data.claims[key] = up_to, by
            return True

    @override
    async def confirm(
        self, user_id: UserId, conversation_id: ConversationId, up_to: SequenceNumber
    ) -> None:
        async with self.link.call("confirm"):
            data, key = self.redis.data, (user_id, conversation_id)
            data.marks[key] = max(up_to, data.marks.get(key, NO_SEQUENCE))
            self._unclaim(key, up_to)

    @override
    async def release(
        self, user_id: UserId, conversation_id: ConversationId, up_to: SequenceNumber
    ) -> None:
        async with self.link.call("release"):
            marks, key = self.redis.data.marks, (user_id, conversation_id)
            if marks.get(key) == up_to:
                del marks[key]
            self._unclaim(key, up_to)

    def _unclaim(self, key: tuple[UserId, ConversationId], up_to: SequenceNumber) -> None:
        claims = self.redis.data.claims
        if key in claims and claims[key][0] == up_to:
            del claims[key]

    @override
    async def list_notified(
        self, pairs: Sequence[tuple[UserId, ConversationId]]
    ) -> list[SequenceNumber]:
        if not pairs:
            return []
        async with self.link.call("list_notified"):
            return [self.redis.data.marks.get(key, NO_SEQUENCE) for key in pairs]
