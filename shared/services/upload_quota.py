"""What one user may upload: so many bytes in a day, and so many uploads open at once."""

import contextlib
from dataclasses import dataclass
from typing import Final

from shared.domain.errors import RateLimitedError, UnavailableError
from shared.domain.ids import AttachmentId, UserId
from shared.ports import LiveState, UploadLedger

_SWEPT_WITHIN_MS: Final = 3_600_000  # the sweep runs every hour
_NO_LIMIT: Final = 2**53  # of bytes, when they are here already


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadQuota:
    """Counts each user's uploads in live state. While that is down, there are no limits.

    A link to upload cannot limit a file's size. So the bytes that are declared are taken when the
    upload is granted, and what was uploaded beyond them is charged when it is seen: when a message
    refers to the file, and by the sweep.

    Args:
        bytes_a_day: What one user may upload within a day of the first upload.
        most_open: How many uploads one user may have that are neither sent nor swept.
    """

    live: LiveState
    uploads: UploadLedger
    bytes_a_day: int
    most_open: int

    async def take(self, user_id: UserId, attachment_id: AttachmentId, size_bytes: int) -> None:
        """Take an upload of *size_bytes* from what the user may still upload.

        Raises:
            RateLimitedError: Too many open uploads, or too many bytes in a day; nothing was taken.
        """
        with contextlib.suppress(UnavailableError):
            if not await self.uploads.open(user_id, attachment_id, most=self.most_open):
                raise RateLimitedError(
                    "too many of your uploads are not sent yet", retry_after_ms=_SWEPT_WITHIN_MS
                )
            wait_ms = await self.live.take_quota(user_id, size_bytes, most=self.bytes_a_day)
            if wait_ms:
                await self.release(user_id, attachment_id)
                raise RateLimitedError("your uploads of today are used up", retry_after_ms=wait_ms)

    async def release(self, user_id: UserId, attachment_id: AttachmentId) -> None:
        """Count an upload as open no more: it was sent or swept, or nothing can come of it."""
        with contextlib.suppress(UnavailableError):  # then it counts until it lapses
            await self.uploads.close(user_id, attachment_id)

    async def charge(self, user_id: UserId, granted_bytes: int, stored_bytes: int) -> None:
        """Count what was uploaded beyond what was granted, whatever the user has used already."""
        if stored_bytes > granted_bytes:
            with contextlib.suppress(UnavailableError):
                extra = stored_bytes - granted_bytes
                await self.live.take_quota(user_id, extra, most=_NO_LIMIT)
