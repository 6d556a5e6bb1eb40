"""The twin of the ledger of open uploads."""

from datetime import timedelta
from typing import Final, override

from shared.domain.ids import AttachmentId, UserId
from shared.ports import UploadLedger
from tests.twins.redis_data import RedisTwinPart

_KEEP: Final = timedelta(hours=26)


class MemoryUploads(RedisTwinPart, UploadLedger):
    """Fulfils `UploadLedger`."""

    @override
    async def open(self, user_id: UserId, attachment_id: AttachmentId, *, most: int) -> bool:
        async with self.link.call("open"):
            now = self.redis.now()
            counted = {
                one: at
                for one, at in self.redis.data.uploads.get(user_id, {}).items()
                if at > now - _KEEP
            }
            self.redis.data.uploads[user_id] = counted
            if len(counted) >= most:
                return False
            counted[attachment_id] = now
            return True

    @override
    async def close(self, user_id: UserId, attachment_id: AttachmentId) -> None:
        async with self.link.call("close"):
            self.redis.data.uploads.get(user_id, {}).pop(attachment_id, None)
