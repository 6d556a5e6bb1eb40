"""Open uploads in Redis: a sorted set for each user, by the moment each was granted."""

from typing import Final, override

from shared.adapters.redis import keys
from shared.adapters.redis.client import RedisClient, call
from shared.adapters.redis.script import Script
from shared.domain.ids import AttachmentId, UserId
from shared.ports import UploadLedger

_KEEP_MS: Final = 26 * 3600 * 1000

# KEYS uploads; ARGV attachment, most, keep ms. Returns 1 if the upload is noted.
#
# A client may ask for many uploads at the same time. Counting and noting are one step, so never
# more than *most* are noted. Uploads that nobody closed are dropped by their age before the count.
# Proved by test_upload_port.py (`test_uploads_opened_at_once_are_counted_one_by_one`).
_OPEN: Final = Script(
    """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[3]))
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
)


class RedisUploads(UploadLedger):
    """Fulfils `UploadLedger`."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    @override
    async def open(self, user_id: UserId, attachment_id: AttachmentId, *, most: int) -> bool:
        (noted,) = await self._client.run(
            call(_OPEN, (keys.uploads(user_id),), attachment_id, most, _KEEP_MS)
        )
        return bool(noted)

    @override
    async def close(self, user_id: UserId, attachment_id: AttachmentId) -> None:
        await self._client.run(("ZREM", keys.uploads(user_id), attachment_id))
