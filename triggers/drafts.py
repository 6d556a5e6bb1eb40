"""A message to post, as both the hub and HTTP take it."""

from shared.domain.errors import InvalidError
from shared.domain.ids import AttachmentId, client_message_id, is_attachment_id
from shared.domain.messages.attachment import Attachment
from shared.domain.messages.message import MAX_ATTACHMENTS, Draft, check_body
from triggers import decode
from triggers.decode import Fields


def parse(fields: Fields) -> Draft:
    """Return the draft that *fields* describe: {clientMessageId, body, attachments?, ...}.

    Raises:
        InvalidError: A field is missing or of the wrong kind.
        TooLargeError: The body is too long.
    """
    attachments = _attachments(fields.get("attachments"))
    return Draft(
        client_message_id=client_message_id(fields.get("clientMessageId")),
        body=check_body(fields.get("body", ""), attachment_count=len(attachments)),
        attachments=attachments,
        reply_to=decode.sequence(fields, "replyTo", low=1),
        retry=decode.flag(fields, "retry", default=False),
    )


def _attachments(value: object) -> tuple[Attachment, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_ATTACHMENTS:
        raise InvalidError(f"attachments: must be a list of at most {MAX_ATTACHMENTS}")
    identifiers = dict.fromkeys(_attachment_id(item) for item in value)
    # Name, type and size come from the grant, never from the sender.
    return tuple(Attachment(identifier, "", "", 0) for identifier in identifiers)


def _attachment_id(value: object) -> AttachmentId:
    identifier = value.get("attachmentId") if isinstance(value, dict) else value
    if not is_attachment_id(identifier):
        raise InvalidError("attachments: each must name an attachmentId")
    return AttachmentId(str(identifier))
