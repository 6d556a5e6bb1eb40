"""The twin of the ledger of open uploads."""

from datetime import timedelta
from typing import Final, override

from shared.adapters.memory_line import Line
from shared.adapters.memory_state import RedisTwin
from shared.domain.ids import AttachmentId, UserId
from shared.ports import UploadLedger

_KEEP: Final = timedelta(hours=26)


class MemoryUploads(UploadLedger):
    """Fulfils `UploadLedger`."""

    def __init__(self, redis: RedisTwin, *, line: Line | None = None) -> None:
        self.redis = redis
        self.line = line or Line()

    @override
    async def open(self, user_id: UserId, attachment_id: AttachmentId, *, most: int) -> bool:
        async with self.line.call("open"):
            now = self.redis.now()
            counted = {
                one: at
                for one, at in self.redis.kept.uploads.get(user_id, {}).items()
                if at > now - _KEEP
            }
            self.redis.kept.uploads[user_id] = counted
            if len(counted) >= most:
                return False
            counted[attachment_id] = now
            return True

    @override
    async def close(self, user_id: UserId, attachment_id: AttachmentId) -> None:
        async with self.line.call("close"):
            self.redis.kept.uploads.get(user_id, {}).pop(attachment_id, None)
