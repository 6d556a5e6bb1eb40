"""The twins of file storage and of the reader of pictures."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import override

from shared.domain.ids import AttachmentId, ConversationId, UserId
from shared.domain.messages.attachment import LINK_LASTS, SNIFFED_BYTES, Attachment
from shared.ports import (
    BlobStore,
    Clock,
    Images,
    StoredBlob,
    Unsettled,
    UploadGrant,
    UploadRecord,
    VersionConflictError,
)
from tests.twins.faulty_link import FaultyLink

type _Name = tuple[ConversationId, AttachmentId]


class MemoryBlobStore(BlobStore):
    """Fulfils `BlobStore`; `upload` does what a client does with its grant."""

    def __init__(self, clock: Clock, *, link: FaultyLink | None = None) -> None:
        self.link = link or FaultyLink()
        self.thumbnails: dict[_Name, bytes] = {}
        self._clock = clock
        self.grants: dict[_Name, UploadRecord] = {}
        self.files: dict[_Name, bytes] = {}
        self.unsettled: dict[_Name, datetime] = {}
        self._writes = 0

    def upload(
        self, conversation_id: ConversationId, attachment_id: AttachmentId, content: bytes
    ) -> None:
        self.files.setdefault((conversation_id, attachment_id), content)

    @override
    async def grant_upload(
        self, conversation_id: ConversationId, attachment: Attachment, owner: UserId
    ) -> UploadGrant:
        async with self.link.call("grant_upload"):
            now, name = self._clock.now(), (conversation_id, attachment.attachment_id)
            self.unsettled[name] = now
            self._write(name, UploadRecord(attachment, owner, now))
            url = f"memory://upload/{conversation_id}/{attachment.attachment_id}"
            return UploadGrant(url, {"content-type": attachment.content_type}, now + LINK_LASTS)

    @override
    async def find_grant(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> UploadRecord | None:
        async with self.link.call("find_grant"):
            return self.grants.get((conversation_id, attachment_id))

    @override
    async def replace_grant(self, conversation_id: ConversationId, granted: UploadRecord) -> None:
        async with self.link.call("replace_grant"):
            name = conversation_id, granted.attachment.attachment_id
            stored = self.grants.get(name)
            if stored is None or stored.etag != granted.etag:
                raise VersionConflictError
            self._write(name, granted)

    @override
    async def find_upload(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> StoredBlob | None:
        async with self.link.call("find_upload"):
            content = self.files.get((conversation_id, attachment_id))
            return None if content is None else StoredBlob(len(content), content[:SNIFFED_BYTES])

    @override
    async def size_of_upload(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> int | None:
        async with self.link.call("size_of_upload"):
            content = self.files.get((conversation_id, attachment_id))
            return None if content is None else len(content)

    @override
    async def discard_upload(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> None:
        async with self.link.call("discard_upload"):
            self.files.pop((conversation_id, attachment_id), None)

    @override
    async def read(self, conversation_id: ConversationId, attachment_id: AttachmentId) -> bytes:
        async with self.link.call("read"):
            return self.files.get((conversation_id, attachment_id), b"")

    @override
    async def put_thumbnail(
        self, conversation_id: ConversationId, attachment_id: AttachmentId, data: bytes
    ) -> None:
        async with self.link.call("put_thumbnail"):
            self.thumbnails[conversation_id, attachment_id] = data

    @override
    async def read_url(
        self, conversation_id: ConversationId, attachment: Attachment, *, thumbnail: bool = False
    ) -> str:
        async with self.link.call("read_url"):
            folder = "thumbnails" if thumbnail else "files"
            return f"memory://{folder}/{conversation_id}/{attachment.attachment_id}"

    @override
    async def list_unsettled(
        self, *, before: datetime, limit: int, since: datetime | None = None
    ) -> list[Unsettled]:
        async with self.link.call("list_unsettled"):
            first = _hour(since) if since else datetime.min.replace(tzinfo=before.tzinfo)
            oldest_first = sorted(self.unsettled.items(), key=lambda item: item[1])
            return [
                Unsettled(*name, _hour(at))
                for name, at in oldest_first
                if first <= _hour(at) < _hour(before)
            ][:limit]

    @override
    async def settle(
        self,
        conversation_id: ConversationId,
        attachment_id: AttachmentId,
        *,
        keep: bool,
        marked_at: datetime | None = None,
    ) -> None:
        async with self.link.call("settle"):
            name = conversation_id, attachment_id
            granted = self.grants.get(name)
            if granted or marked_at:
                self.unsettled.pop(name, None)
            if not keep:
                self.files.pop(name, None)
                self.thumbnails.pop(name, None)
                self.grants.pop(name, None)

    def _write(self, name: _Name, granted: UploadRecord) -> None:
        self._writes += 1
        self.grants[name] = replace(granted, etag=f"etag-{self._writes}")


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


@dataclass(slots=True)
class MemoryImages(Images):
    """Fulfils `Images`: knows the pictures it was given, by their first bytes.

    Args:
        sizes: Width and height in pixels of files that begin so.
        link: Where decoding waits, and fails.
    """

    sizes: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    link: FaultyLink = field(default_factory=FaultyLink)

    @override
    async def size(self, first_bytes: bytes) -> tuple[int, int] | None:
        known = (size for begin, size in self.sizes.items() if first_bytes.startswith(begin))
        return next(known, None)

    @override
    async def thumbnail(self, data: bytes) -> bytes | None:
        async with self.link.call("thumbnail"):
            return None if await self.size(data) is None else b"small " + data[:16]
