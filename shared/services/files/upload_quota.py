"""What a user may upload: a number of bytes in a day, and a number of open uploads at once."""

import contextlib
from dataclasses import dataclass
from typing import Final

from shared.domain.errors import RateLimitedError, UnavailableError
from shared.domain.ids import AttachmentId, UserId
from shared.ports import Callers, UploadLedger

_SWEPT_WITHIN_MS: Final = 3_600_000  # the sweep runs every hour
_NO_LIMIT: Final = 2**53  # bytes, for a file that is already uploaded


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadQuota:
    """Counts each user's uploads in live state. While that is down, there are no limits.

    A link to upload cannot limit a file's size. So the declared bytes are charged when the upload
    is record. Bytes beyond them are charged when a message refers to the file, and by the sweep.

    Args:
        bytes_a_day: How much a user may upload within a day of their first upload.
        most_open: How many uploads a user may have that are neither sent nor swept.
    """

    live: Callers
    uploads: UploadLedger
    bytes_a_day: int
    most_open: int

    async def take(self, user_id: UserId, attachment_id: AttachmentId, size_bytes: int) -> None:
        """Charge an upload of *size_bytes* to the user's quota.

        Raises:
            RateLimitedError: Too many open uploads, or too many bytes in a day. Nothing is charged.
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
        """No longer count an upload as open: it was sent or swept, or cannot be sent any more."""
        with contextlib.suppress(UnavailableError):  # otherwise it counts until it lapses
            await self.uploads.close(user_id, attachment_id)

    async def charge(self, user_id: UserId, granted_bytes: int, stored_bytes: int) -> None:
        """Charge the bytes beyond the granted ones, however much the user has used already."""
        if stored_bytes > granted_bytes:
            with contextlib.suppress(UnavailableError):
                extra = stored_bytes - granted_bytes
                await self.live.take_quota(user_id, extra, most=_NO_LIMIT)
