"""Files: uploads and their records, pictures, and how many uploads a user has open."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.domain.ids import AttachmentId, ConversationId, SequenceNumber, UserId
from shared.domain.messages.attachment import Attachment


@dataclass(frozen=True, slots=True)
class UploadGrant:
    """Leave to write one blob: PUT to `url` with exactly these headers, before `expires_at`."""

    url: str
    headers: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """A file somebody may upload, or has.

    Args:
        referred: A message refers to it, so it is kept and members may read it.
        sequence: That message's; None until the change feed has shown it.
        has_thumbnail: A small copy lies beside it.
        thumbnail_tries: How often making one has begun.
        etag: Names the stored state this value was read from; empty for one not stored yet.
    """

    attachment: Attachment
    owner: UserId
    granted_at: datetime
    referred: bool = False
    sequence: SequenceNumber | None = None
    has_thumbnail: bool = False
    thumbnail_tries: int = 0
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An upload that no sweep has settled yet; `marked_at` is the hour it was granted in."""

    conversation_id: ConversationId
    attachment_id: AttachmentId
    marked_at: datetime


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """An uploaded file, as its storage knows it."""

    size_bytes: int
    first_bytes: bytes


class BlobStore(Protocol):
    """Uploaded files. A grant is remembered beside the file, so that neither can be forged."""

    async def grant_upload(
        self, conversation_id: ConversationId, attachment: Attachment, owner: UserId
    ) -> UploadGrant:
        """Remember the grant and return leave to create that one blob, never to overwrite it."""
        ...

    async def find_grant(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> UploadRecord | None: ...

    async def replace_grant(self, conversation_id: ConversationId, granted: UploadRecord) -> None:
        """Overwrite what *granted* was read from.

        Raises:
            VersionConflictError: It has changed since.
        """
        ...

    async def find_upload(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> StoredBlob | None:
        """Return what was uploaded, with its first bytes; None when nothing was yet."""
        ...

    async def size_of_upload(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> int | None:
        """Return how many bytes were uploaded; None when nothing was yet."""
        ...

    async def discard_upload(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> None:
        """Delete what was uploaded; the grant stays, and its link may be used until it ends."""
        ...

    async def read(self, conversation_id: ConversationId, attachment_id: AttachmentId) -> bytes: ...

    async def put_thumbnail(
        self, conversation_id: ConversationId, attachment_id: AttachmentId, data: bytes
    ) -> None: ...

    async def read_url(
        self, conversation_id: ConversationId, attachment: Attachment, *, thumbnail: bool = False
    ) -> str:
        """Return a URL that lets anyone read this one blob for a few minutes."""
        ...

    async def list_unsettled(
        self, *, before: datetime, limit: int, since: datetime | None = None
    ) -> list[Unsettled]:
        """Return uploads that no sweep has settled yet, oldest first.

        Args:
            before: Those granted in an hour before this one's.
            since: Those granted in this one's hour or later.
        """
        ...

    async def settle(
        self,
        conversation_id: ConversationId,
        attachment_id: AttachmentId,
        *,
        keep: bool,
        marked_at: datetime | None = None,
    ) -> None:
        """Take an upload off the sweep's list; without *keep*, delete grant, file and small copy.

        Args:
            marked_at: When it was granted, as the list says; needed where no grant is left.
        """
        ...


class Images(Protocol):
    """Pictures. Neither method raises for a broken one."""

    async def size(self, first_bytes: bytes) -> tuple[int, int] | None:
        """Return width and height in pixels, if its first bytes tell."""
        ...

    async def thumbnail(self, data: bytes) -> bytes | None:
        """Return a copy of at most 320 x 320 pixels as WebP, if it can be made."""
        ...


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
