"""The twin of what a flush takes."""

from collections.abc import Sequence
from typing import override

from shared.domain.ids import ConversationId
from shared.ports import FlushState, LiveConversation
from tests.twins.redis_data import RedisTwinPart


class MemoryFlushes(RedisTwinPart, FlushState):
    """Fulfils `FlushState`."""

    @override
    async def dirty_conversations(self, *, limit: int) -> list[ConversationId]:
        async with self.link.call("dirty_conversations"):
            return sorted(self.redis.data.dirty, key=self.redis.data.dirty.__getitem__)[:limit]

    @override
    async def snapshots(self, ids: Sequence[ConversationId]) -> list[LiveConversation]:
        async with self.link.call("snapshots"):
            return [self._snapshot(one) for one in ids]

    @override
    async def flushed(self, states: Sequence[LiveConversation]) -> None:
        async with self.link.call("flushed"):
            dirty = self.redis.data.dirty
            for state in states:
                live = self.state_of(state.conversation_id)
                if state.head.is_cached and live.ready:
                    live.flushed = max(live.flushed, state.flush_id)
                if live.acknowledged < state.flush_id:
                    live.acknowledged = 0
                if dirty.get(state.conversation_id, state.flush_id) < state.flush_id:
                    del dirty[state.conversation_id]

    def _snapshot(self, conversation_id: ConversationId) -> LiveConversation:
        live = self.state_of(conversation_id)
        changed = self.redis.data.changed.pop(conversation_id, set())
        receipts = tuple(live.receipts.values())
        stamp = self.redis.stamp()
        left = tuple(changed)
        told = not live.acknowledged
        return LiveConversation(
            conversation_id, live.head(live.epoch), receipts, left, stamp, live.flushed, told
        )
