"""Inboxes in Redis: the order of each user's conversations. One pipeline per method."""

from collections.abc import Iterable, Mapping
from typing import override

from shared.adapters import redis_keys as keys
from shared.adapters import redis_scripts as scripts
from shared.adapters.redis_client import RedisClient, call
from shared.adapters.redis_codec import READY, follows, pairs_of, text_of
from shared.adapters.redis_epoch import read_epoch
from shared.adapters.redis_mutes import remembering
from shared.domain.ids import ConversationId, UserId
from shared.domain.live import Epoch, InboxEntry
from shared.domain.mute import Mute
from shared.ports import InboxState

_KEEP_MS = 30 * 24 * 3600 * 1000


class RedisInboxes(InboxState):
    """Fulfils `InboxState`."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    @override
    async def inbox_page(
        self, user_id: UserId, *, limit: int, after: InboxEntry | None
    ) -> list[InboxEntry] | None:
        key, top = keys.inbox(user_id), after.activity_ms if after else "+inf"
        # Entries of one millisecond share a score: all of the cursor's own, then those below it.
        epoch, ready, tied, below, _ = await self._client.run(
            read_epoch(),
            ("ZSCORE", key, READY),
            ("ZREVRANGEBYSCORE", key, top, top, "WITHSCORES"),
            ("ZREVRANGEBYSCORE", key, f"({top}", 0, "WITHSCORES", "LIMIT", 0, limit),
            ("PEXPIRE", key, _KEEP_MS),
        )
        if ready is None or float(ready) != -float(epoch):
            return None
        scored = pairs_of([*tied, *below])
        entries = [InboxEntry(ConversationId(text_of(m)), int(float(s))) for m, s in scored]
        return [e for e in entries if after is None or follows(e, after)][:limit]

    @override
    async def fill_inbox(
        self, user_id: UserId, entries: Iterable[InboxEntry], *, epoch: Epoch, complete: bool
    ) -> None:
        scored = [part for entry in entries for part in (entry.activity_ms, entry.conversation_id)]
        key = keys.inbox(user_id)
        await self._client.run(
            call(scripts.FILL_INBOX, (key,), epoch, int(complete), *scored),
            ("PEXPIRE", key, _KEEP_MS),
        )

    @override
    async def put_inbox(self, user_ids: Iterable[UserId], entry: InboxEntry) -> None:
        await self._client.run(
            *(
                call(
                    scripts.ADD_IF_BEGUN,
                    (keys.inbox(user),),
                    entry.conversation_id,
                    entry.activity_ms,
                )
                for user in user_ids
            )
        )

    @override
    async def remember_mutes(
        self, user_id: UserId, mutes: Mapping[ConversationId, Mute], *, epoch: Epoch
    ) -> None:
        await self._client.run(remembering(user_id, dict(mutes), epoch))

    @override
    async def drop_inbox(self, user_id: UserId, conversation_id: ConversationId) -> None:
        await self._client.run(
            ("ZREM", keys.inbox(user_id), conversation_id),
            ("ZREM", keys.seats(user_id), conversation_id),
            ("SREM", keys.unsure(user_id), conversation_id),
            ("HDEL", keys.mutes(user_id), conversation_id),
        )
