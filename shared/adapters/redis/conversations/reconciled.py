"""Up to which version each conversation is reconciled, in Redis. One pipeline per method."""

from typing import Final, override

from shared.adapters.redis import keys
from shared.adapters.redis.client import call
from shared.adapters.redis.script import DAY_MS, Script
from shared.adapters.redis.users.calls import RedisPart
from shared.domain.ids import ConversationId
from shared.ports import ReconciledVersions

_KEEP_MS: Final = 30 * DAY_MS

# KEYS reconciled; ARGV version, the version it follows or '', ms to keep.
#
# A worker that applied only what one change brought may mark that change as reconciled, but only if
# the change before it is: otherwise what the earlier change left undone would never be done. Two
# workers can mark two versions at the same time, in either order. The script compares and writes in
# one step, and only raises the mark. A mark that is refused or lost costs one more reconciliation,
# which changes nothing. Proved by test_live_port.py (`test_reconciliations_are_remembered`,
# `test_a_reconciliation_that_does_not_follow_the_last_one_is_not_remembered`).
MARK_REPAIRED: Final = Script(
    """
local marked = redis.call('GET', KEYS[1]) or '0'
if ARGV[2] ~= '' and marked ~= ARGV[2] then return end
if tonumber(marked) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3]) end
"""
)


class RedisReconciledVersions(RedisPart, ReconciledVersions):
    """Fulfils `ReconciledVersions`."""

    @override
    async def reconciled_version(self, conversation_id: ConversationId) -> int:
        (version,) = await self._client.run(("GET", keys.reconciled(conversation_id)))
        return int(version or 0)

    @override
    async def mark_reconciled(
        self, conversation_id: ConversationId, version: int, *, follows: int | None = None
    ) -> None:
        key, before = keys.reconciled(conversation_id), "" if follows is None else follows
        await self._client.run(call(MARK_REPAIRED, (key,), version, before, _KEEP_MS))
