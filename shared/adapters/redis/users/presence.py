"""Presence and typing in Redis."""

import json
import logging
from collections.abc import Iterable, Sequence
from typing import Final, override

from shared.adapters.redis import keys
from shared.adapters.redis.client import BrokenKeyError, Entry, RedisClient, call
from shared.adapters.redis.users import presence_scripts as scripts
from shared.domain.ids import ConnectionId, ConversationId, UserId
from shared.domain.people.presence import Presence
from shared.domain.times import optional_from_ms, to_ms
from shared.ports import PresenceStore

logger = logging.getLogger(__name__)

_CHANNEL: Final = "presence"
_TYPING_MS: Final = 2_500  # a client repeats every 3 s while its user types


class RedisPresenceStore(PresenceStore):
    """Fulfils `PresenceStore`. After a loss of Redis, each user is back with their next call."""

    def __init__(self, client: RedisClient, *, lease_s: int) -> None:
        self._client = client
        self._lease_ms = lease_s * 1000

    @override
    async def open(
        self, user_id: UserId, connection_id: ConnectionId, *, most: int
    ) -> list[ConnectionId]:
        keys_of_user = (keys.opened(user_id), keys.presence(user_id), keys.closed(user_id))
        (ended,) = await self._client.run(
            call(scripts.OPEN, keys_of_user, connection_id, most, self._lease_ms)
        )
        return [ConnectionId(connection.decode()) for connection in ended]

    @override
    async def close(self, user_id: UserId, connection_id: ConnectionId) -> bool:
        (went_offline,) = await self._client.run(
            call(
                scripts.CLOSE,
                (
                    *(keys.presence(user_id), keys.seen(user_id)),
                    *(keys.closed(user_id), keys.account(user_id)),
                ),
                connection_id,
                self._lease_ms,
            )
        )
        return bool(went_offline)

    @override
    async def list_presences(self, user_ids: Sequence[UserId]) -> list[Presence]:
        if not user_ids:
            return []
        answers = await self._client.run(
            *(call(scripts.PRESENCE, (keys.presence(user), keys.seen(user))) for user in user_ids)
        )
        return [
            Presence(user, "online" if online else "offline", optional_from_ms(at))
            for user, (online, at) in zip(user_ids, answers, strict=True)
        ]

    @override
    async def lapse(self, *, limit: int) -> list[Presence]:
        shards = await self._client.run(
            *(call(scripts.LAPSED, (keys.leases(n),), limit) for n in range(keys.SHARDS))
        )
        users = [UserId(user.decode()) for _, lapsed in shards for user in lapsed]
        # The earliest: a lease that is noted while the shards are read must stay in the index.
        return await self._lapse(users, min(now for now, _ in shards)) if users else []

    async def _lapse(self, users: list[UserId], now: int) -> list[Presence]:
        tried = await self._client.attempt(
            *(
                call(scripts.LAPSE, (keys.presence(user), keys.seen(user), keys.account(user)))
                for user in users
            )
        )
        # One user's broken keys must not keep the others online: that user is left out until their
        # next call.
        tried_by_user = dict(zip(users, tried, strict=True))
        broken = [user for user, a in tried_by_user.items() if isinstance(a, BrokenKeyError)]
        for user in broken:
            logger.error("presence of %s cannot be read", user)
        answers = {user: a for user, a in tried_by_user.items() if user not in broken}
        # A lease renewed meanwhile gives the user's next moment; else the index forgets the user,
        # unless a call has noted a new lease there since.
        await self._client.run(
            *(_reindex(user, 0, now) for user in broken),
            *(_reindex(user, int(answer[2]), now) for user, answer in answers.items()),
        )
        return [
            Presence(user, "offline", optional_from_ms(at))
            for user, (lapsed, at, _) in answers.items()
            if lapsed
        ]

    @override
    async def connections(self, user_id: UserId) -> list[ConnectionId]:
        (members,) = await self._client.run(("ZRANGE", keys.presence(user_id), 0, -1))
        return [ConnectionId(connection.decode()) for connection in members]

    @override
    async def swap_watched(
        self, connection_id: ConnectionId, user_ids: Iterable[UserId]
    ) -> set[UserId]:
        key = keys.watched(connection_id)
        (before,) = await self._client.run(
            call(scripts.WATCH, (key,), self._lease_ms * 4, *user_ids)
        )
        return {UserId(user.decode()) for user in before}

    @override
    async def publish(self, presence: Presence) -> None:
        seen = to_ms(presence.last_seen_at) if presence.last_seen_at else None
        text = json.dumps(
            {"userId": presence.user_id, "status": presence.status, "lastSeenAt": seen}
        )
        await self._client.run(("PUBLISH", _CHANNEL, text))

    @override
    async def mark_typing(
        self, user_id: UserId, conversation_id: ConversationId, *, typing: bool
    ) -> bool:
        key = keys.typing(user_id, conversation_id)
        (is_new,) = await self._client.run(call(scripts.TYPING, (key,), int(typing), _TYPING_MS))
        return bool(is_new)


def _reindex(user: UserId, lapses_at: int, now: int) -> Entry:
    index = keys.leases(keys.shard_of(user))
    if lapses_at:
        return ("ZADD", index, lapses_at, user)
    return call(scripts.FORGET_LEASE, (index,), user, now)
