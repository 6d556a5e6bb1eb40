"""Live state in Redis: one object that fulfils all its ports over one client."""

from shared.adapters.redis_calls import RedisCallers
from shared.adapters.redis_flush import RedisFlushes
from shared.adapters.redis_group_memberships import RedisGroupMemberships
from shared.adapters.redis_heads import RedisHeads
from shared.adapters.redis_inbox import RedisInboxes
from shared.adapters.redis_reconciled import RedisReconciledVersions
from shared.ports import LiveState


class RedisLiveState(
    RedisCallers,
    RedisHeads,
    RedisInboxes,
    RedisGroupMemberships,
    RedisFlushes,
    RedisReconciledVersions,
    LiveState,
):
    """Fulfils `LiveState`. Losing all of it costs speed, never a message."""
