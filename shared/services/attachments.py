"""Files: a grant to upload, a check before a message refers to one, a short-lived link to read."""

from dataclasses import dataclass, replace

from shared.domain.attachment import (
    Attachment,
    StoredBlob,
    UploadGrant,
    check_grant,
    matches_type,
)
from shared.domain.errors import (
    InvalidError,
    NotFoundError,
    NotReadyError,
    RejectedError,
    UnsupportedTypeError,
)
from shared.domain.ids import AttachmentId, ConversationId, UserId
from shared.domain.live import Call
from shared.domain.message import Draft
from shared.ports import BlobStore, Clock, Ids
from shared.services.entrance import Entrance


@dataclass(frozen=True, slots=True)
class Attachments:
    """Files of conversations; the bytes go between the client and storage, never through here.

    Args:
        scanned: A scanner will say of each upload whether it is clean; without one, what has
            passed the checks is.
    """

    entrance: Entrance
    blobs: BlobStore
    clock: Clock
    ids: Ids
    scanned: bool

    async def grant_upload(
        self,
        call: Call,
        conversation_id: ConversationId,
        *,
        file_name: str,
        content_type: str,
        size_bytes: int,
    ) -> tuple[AttachmentId, UploadGrant]:
        """Give leave to upload one file of this name, type and size.

        Raises:
            NotFoundError: No such conversation for this caller.
            InvalidError, UnsupportedTypeError, TooLargeError: The file is not taken.
            RateLimitedError: Too many uploads.
        """
        check_grant(file_name, content_type, size_bytes)
        await self.entrance.enter(call, conversation_id)
        attachment = Attachment(self.ids.new_attachment_id(), file_name, content_type, size_bytes)
        grant = await self.blobs.grant_upload(conversation_id, attachment, call.user_id)
        return attachment.attachment_id, grant

    async def checked(
        self, sender: UserId, conversation_id: ConversationId, draft: Draft
    ) -> tuple[Attachment, ...]:
        """Return what a message may refer to, with name, type, size and state as they are.

        Raises:
            InvalidError: A file was not granted to this sender here, is not uploaded, or is not
                of the granted size.
            UnsupportedTypeError: Its first bytes are not of its declared type.
            RejectedError: The scanner refused it.
        """
        return tuple(
            [
                await self._checked(sender, conversation_id, asked.attachment_id)
                for asked in draft.attachments
            ]
        )

    async def read_url(
        self, call: Call, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> str:
        """Return a URL that reads the file for a few minutes.

        Raises:
            NotFoundError: No such conversation or file for this caller.
            NotReadyError: No message refers to it yet, or the scanner has not seen it.
            RejectedError: The scanner refused it.
        """
        await self.entrance.enter(call, conversation_id)
        granted = await self.blobs.find_grant(conversation_id, attachment_id)
        if granted is None or not (granted.referred or granted.owner == call.user_id):
            raise NotFoundError("no such file")
        if granted.attachment.state == "rejected":
            raise RejectedError("the file was refused by the scanner")
        if not granted.referred or granted.attachment.state == "pending":
            raise NotReadyError("the file is not ready yet")
        return await self.blobs.read_url(conversation_id, granted.attachment)

    async def _checked(
        self, sender: UserId, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> Attachment:
        granted = await self.blobs.find_grant(conversation_id, attachment_id)
        if granted is None or granted.owner != sender:
            raise InvalidError("attachments: no such upload")
        if granted.referred:
            return granted.attachment  # a repeat of the send that checked it
        stored = await self.blobs.find_upload(conversation_id, attachment_id)
        if stored is None:
            raise InvalidError("attachments: the file is not uploaded yet")
        _check(granted.attachment, stored)
        state = granted.attachment.state if self.scanned else "clean"
        attachment = replace(granted.attachment, state=state)
        await self.blobs.put_grant(
            conversation_id, replace(granted, attachment=attachment, referred=True)
        )
        return attachment


def _check(attachment: Attachment, stored: StoredBlob) -> None:
    if attachment.state == "rejected":
        raise RejectedError("attachments: the file was refused by the scanner")
    if stored.size_bytes != attachment.size_bytes:
        raise InvalidError("attachments: the file is not of the granted size")
    if not matches_type(attachment.content_type, stored.first_bytes):
        raise UnsupportedTypeError("attachments: the file is not of its declared type")
