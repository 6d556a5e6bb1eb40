"""Attachments: leave to upload, a check before a message refers to them, links to read them."""

from dataclasses import dataclass, replace
from typing import Final

from shared.domain.errors import (
    InvalidError,
    NotFoundError,
    NotReadyError,
    RejectedError,
    UnsupportedTypeError,
)
from shared.domain.ids import AttachmentId, ConversationId, SequenceNumber, UserId
from shared.domain.messages.attachment import IMAGE_TYPES, Attachment, check_grant, matches_type
from shared.domain.messages.file_name import stored_file_name
from shared.domain.messages.message import Draft
from shared.ports import BlobStore, Call, Ids, Images, StoredBlob, UploadGrant, UploadRecord
from shared.services.admission.admission import Admission, AdmittedCall
from shared.services.conversations.reader import ConversationReader
from shared.services.files.upload_quota import UploadQuota
from shared.services.retrying import change_stored

_LOOKED_THROUGH: Final = 100  # newest messages, for a file that was sent moments ago


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachments:
    """Files of conversations. Their bytes go between the client and storage, never through here.

    Args:
        scanned: A scanner will say of each upload whether it is clean. Without a scanner, a file
            that has passed the checks is clean.
    """

    admission: Admission
    reader: ConversationReader
    quota: UploadQuota
    blobs: BlobStore
    images: Images
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
        """Give leave to upload one file of this type and size.

        The file is stored under this name without invisible characters, and with an extension of
        its type if the name has none.

        Raises:
            NotFoundError: There is no such conversation for this caller.
            InvalidError, UnsupportedTypeError, TooLargeError: Such a file is not accepted.
            RateLimitedError: Too many uploads, too many unsent uploads, or too many bytes in a day.
        """
        check_grant(file_name, content_type, size_bytes)
        await self.admission.admit_to(call, conversation_id)
        name = stored_file_name(file_name, content_type)
        attachment = Attachment(self.ids.new_attachment_id(), name, content_type, size_bytes)
        await self.quota.take(call.user_id, attachment.attachment_id, size_bytes)
        grant = await self.blobs.grant_upload(conversation_id, attachment, call.user_id)
        return attachment.attachment_id, grant

    async def checked(
        self, sender: UserId, conversation_id: ConversationId, draft: Draft
    ) -> tuple[Attachment, ...]:
        """Return the files of a draft as a message may refer to them, with their present state.

        Raises:
            InvalidError: A file was not granted to this sender here, or is not uploaded, or is not
                of the granted size. In the last case it is deleted, and its excess is charged.
            UnsupportedTypeError: A file's first bytes are not of its declared type.
            RejectedError: The scanner refused a file.
        """
        return tuple(
            [
                await self._checked(sender, conversation_id, attachment.attachment_id)
                for attachment in draft.attachments
            ]
        )

    async def read_url(
        self,
        call: Call,
        conversation_id: ConversationId,
        attachment_id: AttachmentId,
        *,
        thumbnail: bool = False,
    ) -> str:
        """Return a URL that reads the file for a few minutes.

        Args:
            thumbnail: The URL leads to the small copy, if there is one.

        Raises:
            NotFoundError: There is no such conversation or file for this caller, or the file was
                sent before the caller's history begins.
            NotReadyError: No message refers to the file yet, or the scanner has not seen it.
            RejectedError: The scanner refused the file.
        """
        admitted = await self.admission.admit_to(call, conversation_id)
        record = await self.blobs.find_grant(conversation_id, attachment_id)
        if record is None or not (record.referred or record.owner == call.user_id):
            raise NotFoundError("no such file")
        if record.referred and not await self._is_seen(record, admitted):
            raise NotFoundError("no such file")
        if record.attachment.state == "rejected":
            raise RejectedError("the file was refused by the scanner")
        if not record.referred or record.attachment.state == "pending":
            raise NotReadyError("the file is not ready yet")
        small = thumbnail and record.has_thumbnail
        return await self.blobs.read_url(conversation_id, record.attachment, thumbnail=small)

    async def _is_seen(self, record: UploadRecord, admitted: AdmittedCall) -> bool:
        """Tell whether the member may see a message that refers to the file.

        The grant names that message only once the change feed has processed it. A file that was
        sent moments ago is therefore looked for in the newest messages that the member may see.
        """
        first, attachment_id = admitted.member.history_from, record.attachment.attachment_id
        if first <= 1 or (record.sequence is not None and record.sequence >= first):
            return True
        if record.sequence is not None:
            return False
        last = admitted.head.sequence
        since = SequenceNumber(max(first, last - _LOOKED_THROUGH + 1))
        messages = await self.reader.messages(admitted.conversation.id, since, last)
        return any(
            attachment.attachment_id == attachment_id
            for message in messages
            for attachment in message.attachments
        )

    async def _checked(
        self, sender: UserId, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> Attachment:
        """Return the file as it is now, after noting in its grant that a message refers to it.

        The scanner's verdict, or another attempt of the same send, may change the grant meanwhile.
        Then all is checked again on top of that change, so no verdict is overwritten.
        """

        async def load() -> UploadRecord:
            record = await self.blobs.find_grant(conversation_id, attachment_id)
            if record is None or record.owner != sender:
                raise InvalidError("attachments: no such upload")
            return record

        async def refer(record: UploadRecord) -> UploadRecord:
            if record.referred:
                return record  # a repeat of the send that checked it
            stored = await self.blobs.find_upload(conversation_id, attachment_id)
            if stored is None:
                raise InvalidError("attachments: the file is not uploaded yet")
            await self._check_size(conversation_id, record, stored)
            _check(record.attachment, stored)
            attachment = await self._described(record.attachment, stored)
            return replace(record, attachment=attachment, referred=True)

        async def store(record: UploadRecord) -> UploadRecord:
            await self.blobs.replace_grant(conversation_id, record)
            return record

        _, record = await change_stored("the file", load=load, change=refer, store=store)
        return record.attachment

    async def _check_size(
        self, conversation_id: ConversationId, record: UploadRecord, stored: StoredBlob
    ) -> None:
        attachment = record.attachment
        if stored.size_bytes == attachment.size_bytes:
            return
        await self.quota.charge(record.owner, attachment.size_bytes, stored.size_bytes)
        await self.blobs.discard_upload(conversation_id, attachment.attachment_id)
        raise InvalidError("attachments: the file is not of the granted size, and was deleted")

    async def _described(self, attachment: Attachment, stored: StoredBlob) -> Attachment:
        state = attachment.state if self.scanned else "clean"
        if attachment.content_type not in IMAGE_TYPES:
            return replace(attachment, state=state)
        size = await self.images.size(stored.first_bytes)
        width, height = size or (None, None)
        return replace(attachment, state=state, width=width, height=height)


def _check(attachment: Attachment, stored: StoredBlob) -> None:
    if attachment.state == "rejected":
        raise RejectedError("attachments: the file was refused by the scanner")
    if not matches_type(attachment.content_type, stored.first_bytes):
        raise UnsupportedTypeError("attachments: the file is not of its declared type")
