"""Live state in Redis: one object that fulfils all its ports over one client."""

from shared.adapters.redis.conversations.flush import RedisFlushes
from shared.adapters.redis.conversations.heads import RedisHeads
from shared.adapters.redis.conversations.reconciled import RedisReconciledVersions
from shared.adapters.redis.users.calls import RedisCallers
from shared.adapters.redis.users.group_memberships import RedisGroupMemberships
from shared.adapters.redis.users.inbox import RedisInboxes
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
