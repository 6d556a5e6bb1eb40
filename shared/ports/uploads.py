"""How many uploads each user has open: granted, and neither sent nor swept yet."""

from typing import Protocol

from shared.domain.ids import AttachmentId, UserId


class UploadLedger(Protocol):
    """Counts open uploads. It may be lost: then counting begins anew, and nothing else suffers."""

    async def open(self, user_id: UserId, attachment_id: AttachmentId, *, most: int) -> bool:
        """Note an upload as open; False, and nothing noted, if the user has *most* already.

        One that nobody closes counts for 26 hours: the sweep deletes it before that.
        """
        ...

    async def close(self, user_id: UserId, attachment_id: AttachmentId) -> None:
        """Take an upload off the user's open ones, if it is one of them."""
        ...
