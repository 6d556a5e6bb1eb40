"""Processing attachments after the message was sent: thumbnails and scan verdicts."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from shared.domain.events import (
    AttachmentChanged,
    Effect,
    Push,
    audience,
)
from shared.domain.ids import AttachmentId, ConversationId, SequenceNumber
from shared.domain.messages.attachment import IMAGE_TYPES, Attachment, State
from shared.domain.messages.message import Message
from shared.ports import BlobStore, Images, MessageStore, UploadRecord
from shared.services.conversations.reader import ConversationReader
from shared.services.files.upload_quota import UploadQuota
from shared.services.retrying import change_stored

logger = logging.getLogger(__name__)

_THUMBNAIL_TRIES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentProcessing:
    """Makes thumbnails, and records what the scanner says of files."""

    reader: ConversationReader
    messages: MessageStore
    blobs: BlobStore
    images: Images
    quota: UploadQuota

    async def process(self, messages: Iterable[Message]) -> list[Effect]:
        """Note in each file's grant which message refers to it, and make thumbnails.

        Repeats change nothing. Return the pushes about files whose verdict came meanwhile.
        """
        effects: list[Effect] = []
        for message in messages:
            for attachment in message.attachments:
                effects += await self._process(message, attachment)
        return effects

    async def take_verdict(
        self, conversation_id: ConversationId, attachment_id: AttachmentId, *, clean: bool
    ) -> list[Effect]:
        """Record the scanner's verdict in the grant and in the message that refers to the file.

        The verdict may come before the file is sent, while it is sent, or after that. In the first
        case the send reads it from the grant. In the second, the grant does not name the message
        yet, and `process` finds a state that differs from the message's. In the third, the message
        is changed here. Proved by the tests of verdicts in test_files.py.
        """
        state: State = "clean" if clean else "rejected"

        def judge(record: UploadRecord) -> UploadRecord:
            return replace(record, attachment=replace(record.attachment, state=state))

        record = await self._change(conversation_id, attachment_id, judge)
        if record is None or record.sequence is None:
            return []  # the send, or `process`, reads the verdict from the grant
        return await self._changed(conversation_id, record.sequence, record.attachment)

    async def _process(self, message: Message, attachment: Attachment) -> list[Effect]:
        conversation_id, attachment_id = message.conversation_id, attachment.attachment_id
        record = await self.blobs.find_grant(conversation_id, attachment_id)
        if record is None or record.sequence is not None:
            return []
        has_thumbnail = await self._make_thumbnail(conversation_id, record)

        def note(record: UploadRecord) -> UploadRecord:
            return replace(record, sequence=message.sequence, has_thumbnail=has_thumbnail)

        noted = await self._change(conversation_id, attachment_id, note)
        await self.quota.release(record.owner, attachment_id)
        if noted is None:  # the file was erased meanwhile: delete the thumbnail just made too
            await self.blobs.settle(conversation_id, attachment_id, keep=False)
            return []
        if noted.attachment.state == attachment.state:
            return []
        # The verdict came between the send and now, so the message has the state from before it.
        return await self._changed(conversation_id, message.sequence, noted.attachment)

    async def _make_thumbnail(self, conversation_id: ConversationId, record: UploadRecord) -> bool:
        """Make the small copy of a picture; tell whether there is one.

        Decoding a picture may end this worker or take it past a deadline, and then the change feed
        brings the message again. So the attempt is recorded in the grant before the picture is
        decoded. The next attempt reads that, and after two attempts the picture goes without a
        small copy. So one picture never holds up the messages behind it. There are two attempts
        because a worker may also end for another reason. Proved by
        test_the_attempt_is_recorded_before_a_picture_is_decoded.
        """
        attachment = record.attachment
        if attachment.content_type not in IMAGE_TYPES:
            return False
        if record.thumbnail_tries >= _THUMBNAIL_TRIES:
            logger.warning("no thumbnail of %s after two attempts", attachment.attachment_id)
            return False
        data = await self.blobs.read(conversation_id, attachment.attachment_id)
        if await self._change(conversation_id, attachment.attachment_id, _tried) is None:
            return False  # the file was erased meanwhile
        small = await self.images.thumbnail(data)
        if small is None:
            logger.info("no thumbnail of %s", attachment.attachment_id)
            return False
        await self.blobs.put_thumbnail(conversation_id, attachment.attachment_id, small)
        return True

    async def _change(
        self,
        conversation_id: ConversationId,
        attachment_id: AttachmentId,
        change: Callable[[UploadRecord], UploadRecord],
    ) -> UploadRecord | None:
        async def changed(record: UploadRecord | None) -> UploadRecord | None:
            return record and change(record)

        async def replaced(record: UploadRecord | None) -> UploadRecord | None:
            if record is not None:
                await self.blobs.replace_grant(conversation_id, record)
            return record

        _, after = await change_stored(
            "the file",
            load=lambda: self.blobs.find_grant(conversation_id, attachment_id),
            change=changed,
            store=replaced,
        )
        return after

    async def _changed(
        self, conversation_id: ConversationId, sequence: SequenceNumber, attachment: Attachment
    ) -> list[Effect]:
        await self.messages.set_attachment(conversation_id, sequence, attachment)
        conversation = await self.reader.find(conversation_id, version=None)
        if conversation is None:
            return []
        event = AttachmentChanged(conversation_id, sequence, attachment)
        return [Push(event, to) for to in audience(conversation)]


def _tried(record: UploadRecord) -> UploadRecord:
    return replace(record, thumbnail_tries=record.thumbnail_tries + 1)
