"""What a flush takes from Redis, and marks as written."""

from collections.abc import Sequence
from typing import Final, override

from shared.adapters.redis import keys
from shared.adapters.redis.client import BrokenKeyError, Entry, call
from shared.adapters.redis.conversations.codec import snapshot_of, text_of
from shared.adapters.redis.script import Script
from shared.adapters.redis.users.calls import RedisPart
from shared.domain.ids import ConversationId
from shared.ports import FlushState, LiveConversation

# KEYS dirty; ARGV conversation. The score is the moment, in microseconds.
#
# The command stands in the same pipeline as the change, after it. A worker that dies between the
# two leaves a change that no flush writes; the next change of the conversation marks it, and a
# client whose receipt was lost with Redis acknowledges again on its next sync.
# Proved by test_live_port.py (`test_what_changed_waits_for_its_flush`).
MARK_DIRTY: Final = Script(
    """
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000000 + time[2], ARGV[1])
"""
)

# KEYS conversation, changed. Returns {fields and values, changed users, moment in microseconds}.
#
# An acknowledgement may come while the snapshot is taken. Reading the hash, emptying `changed` and
# reading the clock are one step: the acknowledgement is either in all three, or it comes later,
# puts its user into `changed` again, and has a later moment, so UNMARK leaves the conversation
# dirty. A worker that dies after the snapshot loses the names in `changed` (their receipts are
# pushed with the next change), but no receipt, for the conversation is still dirty.
# Proved by test_live_port.py (`test_what_changes_after_its_snapshot_stays_dirty`).
SNAPSHOT: Final = Script(
    """
local time = redis.call('TIME')
local changed = redis.call('SMEMBERS', KEYS[2])
redis.call('DEL', KEYS[2])
return {redis.call('HGETALL', KEYS[1]), changed, time[1] * 1000000 + time[2]}
"""
)

# KEYS conversation; ARGV stamp. Remembers a flush of a conversation that is known.
#
# Two workers may flush one conversation. The store accepts a flush only on top of the one before it
# (`save_state`), so at most one of them comes here with a given base; the higher stamp stays. After
# a loss of Redis the hash has no `ready`, and a stamp alone must not bring it back.
# `acknowledged` is cleared only if no acknowledgement came after the snapshot.
# Proved by test_live_port.py (`test_live_state_remembers_the_flush_it_follows`,
# `test_a_flush_of_what_was_lost_makes_nothing_known`).
FLUSHED: Final = Script(
    """
if redis.call('HEXISTS', KEYS[1], 'ready') == 1
  and tonumber(ARGV[1]) > (tonumber(redis.call('HGET', KEYS[1], 'flushed')) or 0) then
  redis.call('HSET', KEYS[1], 'flushed', ARGV[1])
end
local acknowledged = tonumber(redis.call('HGET', KEYS[1], 'acknowledged'))
if acknowledged and acknowledged < tonumber(ARGV[1]) then
  redis.call('HDEL', KEYS[1], 'acknowledged')
end
"""
)

# KEYS dirty; ARGV conversation, the snapshot's moment.
#
# What was marked after the snapshot is not in what the flush wrote: the conversation stays dirty.
# Proved by test_live_port.py (`test_what_changes_after_its_snapshot_stays_dirty`).
UNMARK: Final = Script(
    """
local marked = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]))
if marked and marked < tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
"""
)


def mark_dirty(conversation_id: ConversationId) -> Entry:
    """Return the pipeline entry that has the next flush write this conversation."""
    shard = keys.dirty(keys.shard_of(conversation_id))
    return call(MARK_DIRTY, (shard,), conversation_id)


class RedisFlushes(RedisPart, FlushState):
    """Fulfils `FlushState`."""

    @override
    async def dirty_conversations(self, *, limit: int) -> list[ConversationId]:
        answers = await self._client.run(
            *(("ZRANGE", keys.dirty(n), 0, limit - 1) for n in range(keys.SHARDS))
        )
        return [
            ConversationId(text_of(conversation_id))
            for shard in answers
            for conversation_id in shard
        ][:limit]

    @override
    async def snapshots(self, ids: Sequence[ConversationId]) -> list[LiveConversation]:
        answers = await self._client.attempt(
            *(
                call(SNAPSHOT, (keys.conversation(conversation_id), keys.changed(conversation_id)))
                for conversation_id in ids
            )
        )
        for answer in answers:
            if isinstance(answer, BrokenKeyError):
                raise answer  # no outage: the caller must leave this conversation out
        return [
            snapshot_of(conversation_id, *answer)
            for conversation_id, answer in zip(ids, answers, strict=True)
        ]

    @override
    async def flushed(self, states: Sequence[LiveConversation]) -> None:
        entries: list[Entry] = []
        for state in states:
            conversation_id, stamp = state.conversation_id, state.flush_id
            if state.head.is_cached:
                entries.append(call(FLUSHED, (keys.conversation(conversation_id),), stamp))
            entries.append(
                call(UNMARK, (keys.dirty(keys.shard_of(conversation_id)),), conversation_id, stamp)
            )
        await self._client.run(*entries)
