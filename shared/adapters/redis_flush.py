"""What a flush takes from Redis, and marks as written."""

from collections.abc import Sequence as Series

from shared.adapters import redis_keys as keys
from shared.adapters import redis_scripts as scripts
from shared.adapters.redis_client import BrokenKeyError, Entry, RedisClient, call
from shared.adapters.redis_codec import snapshot_of, text_of
from shared.domain.ids import ConversationId
from shared.ports import LiveConversation


class RedisFlushes:
    """Fulfils what `LiveState` says of flushes."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    async def dirty_conversations(self, *, limit: int) -> list[ConversationId]:
        answers = await self._client.run(
            *(("ZRANGE", keys.dirty(n), 0, limit - 1) for n in range(keys.SHARDS))
        )
        return [ConversationId(text_of(one)) for shard in answers for one in shard][:limit]

    async def snapshots(self, ids: Series[ConversationId]) -> list[LiveConversation]:
        answers = await self._client.attempt(
            *(call(scripts.SNAPSHOT, (keys.conversation(one), keys.changed(one))) for one in ids)
        )
        for answer in answers:
            if isinstance(answer, BrokenKeyError):
                raise answer  # no outage: whoever asked must pass this one by
        return [snapshot_of(one, *answer) for one, answer in zip(ids, answers, strict=True)]

    async def flushed(self, states: Series[LiveConversation]) -> None:
        entries: list[Entry] = []
        for state in states:
            one, stamp = state.conversation_id, state.stamp
            if state.head.known:
                entries.append(call(scripts.FLUSHED, (keys.conversation(one),), stamp))
            entries.append(call(scripts.UNMARK, (keys.dirty(keys.shard_of(one)),), one, stamp))
        await self._client.run(*entries)
