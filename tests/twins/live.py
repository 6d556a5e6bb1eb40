"""The twin of live state as a whole."""

from typing import override

from shared.domain.ids import ConversationId, UserId
from shared.ports import Call, Callers, CallState, LiveState, ReconciledVersions
from tests.twins.flush import MemoryFlushes
from tests.twins.group_memberships import MemoryGroupMemberships
from tests.twins.heads import MemoryHeads
from tests.twins.redis_data import RedisTwinPart


class MemoryCallers(RedisTwinPart, Callers):
    """Fulfils `Callers`."""

    @override
    async def enter(self, call: Call) -> CallState:
        async with self.link.call("enter"):
            return self.redis.enter(call)

    @override
    async def take_quota(self, user_id: UserId, amount: int, *, most: int) -> int:
        async with self.link.call("take_quota"):
            return self.redis.take_quota(user_id, amount, most=most)

    @override
    async def forget(self, user_id: UserId) -> int:
        async with self.link.call("forget"):
            return self.redis.data.forget(user_id)


class MemoryReconciledVersions(RedisTwinPart, ReconciledVersions):
    """Fulfils `ReconciledVersions`."""

    @override
    async def reconciled_version(self, conversation_id: ConversationId) -> int:
        async with self.link.call("reconciled_version"):
            return self.redis.data.reconciled.get(conversation_id, 0)

    @override
    async def mark_reconciled(
        self, conversation_id: ConversationId, version: int, *, follows: int | None = None
    ) -> None:
        async with self.link.call("mark_reconciled"):
            known = self.redis.data.reconciled.get(conversation_id, 0)
            if follows is None or known == follows:
                self.redis.data.reconciled[conversation_id] = max(known, version)


class MemoryLiveState(
    MemoryCallers,
    MemoryHeads,
    MemoryGroupMemberships,
    MemoryFlushes,
    MemoryReconciledVersions,
    LiveState,
):
    """Fulfils `LiveState`."""
