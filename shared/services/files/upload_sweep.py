"""Deletes uploads that were never sent."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.domain.messages.attachment import LINK_LASTS
from shared.ports import BlobStore, Clock, Unsettled, UploadRecord
from shared.services.files.upload_quota import UploadQuota
from shared.services.gathering import gather_at_most

logger = logging.getLogger(__name__)

_UNSENT_FOR: Final = timedelta(hours=24)
_LOOKED_AT_FOR: Final = timedelta(hours=2)  # two runs, because one may be missed
_AT_ONCE: Final = 500
_YOUNG_AT_MOST: Final = 50_000
_WORKERS: Final = 16
_RUN_S: Final = 200.0  # below host.json's functionTimeout of 300 s


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadSweep:
    """Deletes uploads that no message refers to, and checks the real size of young uploads."""

    blobs: BlobStore
    quota: UploadQuota
    clock: Clock

    async def sweep(self) -> int:
        """Settle all uploads that were granted more than a day ago; return how many were deleted.

        Then check the uploads whose link ended lately. A file that is larger than its grant is
        deleted and charged, and a file that was sent is settled. After 200 s the rest is left to
        the next run. An upload that fails is left to the next run too, and holds up no other.
        """
        ends_at = asyncio.get_running_loop().time() + _RUN_S
        deleted = 0
        while True:
            unsettled = await self.blobs.list_unsettled(
                before=self.clock.now() - _UNSENT_FOR, limit=_AT_ONCE
            )
            settled = await self._each(unsettled, self._settle, ends_at)
            deleted += sum(settled)
            if not settled:  # none is left, or none can be settled now
                break
        if unsettled:
            logger.warning("uploads left to the next sweep: at least %d", len(unsettled))
        before = self.clock.now() - LINK_LASTS
        young = await self.blobs.list_unsettled(
            since=before - _LOOKED_AT_FOR, before=before, limit=_YOUNG_AT_MOST
        )
        await self._each(young, self._check, ends_at)
        return deleted

    async def _each(
        self,
        uploads: Iterable[Unsettled],
        work: Callable[[Unsettled], Awaitable[bool]],
        ends_at: float,
    ) -> list[bool]:
        """Return the results of *work* for the uploads that it was done for in time."""
        loop = asyncio.get_running_loop()

        async def swept(unsettled: Unsettled) -> bool | None:
            if loop.time() >= ends_at:
                return None
            try:
                return await work(unsettled)
            except Exception:
                logger.exception("upload %s not swept", unsettled.attachment_id)
                return None

        done = await gather_at_most(_WORKERS, map(swept, uploads))
        return [result for result in done if result is not None]

    async def _settle(self, upload: Unsettled) -> bool:
        record = await self.blobs.find_grant(upload.conversation_id, upload.attachment_id)
        keep = record is not None and record.referred
        if record is not None and not keep:
            await self._charged(upload, record)
        await self.blobs.settle(
            upload.conversation_id, upload.attachment_id, keep=keep, marked_at=upload.marked_at
        )
        if record is not None:
            await self.quota.release(record.owner, upload.attachment_id)
        return not keep

    async def _check(self, upload: Unsettled) -> bool:
        record = await self.blobs.find_grant(upload.conversation_id, upload.attachment_id)
        if record is None:
            return False
        if record.referred:
            await self.blobs.settle(upload.conversation_id, upload.attachment_id, keep=True)
        elif await self._charged(upload, record):
            return False  # it may still be sent
        await self.quota.release(record.owner, upload.attachment_id)
        return True

    async def _charged(self, upload: Unsettled, record: UploadRecord) -> bool:
        """Delete and charge a file that is larger than its grant; tell whether a file is left."""
        size = await self.blobs.size_of_upload(upload.conversation_id, upload.attachment_id)
        if size is None or size <= record.attachment.size_bytes:
            return size is not None
        await self.quota.charge(record.owner, record.attachment.size_bytes, size)
        await self.blobs.discard_upload(upload.conversation_id, upload.attachment_id)
        logger.warning("upload %s had %d bytes, more than granted", upload.attachment_id, size)
        return False
