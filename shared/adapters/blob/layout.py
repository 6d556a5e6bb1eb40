"""The names in the container `attachments`, and how the record of a grant is stored there.

A file lies at `files/<conversation>/<attachment>`, the record of its grant at `grants/...`, its
small copy at `thumbnails/...`, and until a sweep has settled it a marker at `unsettled/<hour>/...`.
"""

import json
import math
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from shared.adapters.items import attachment_from_item, attachment_item
from shared.domain.ids import AttachmentId, ConversationId, UserId
from shared.domain.messages.file_name import stored_file_name
from shared.domain.times import from_ms, to_ms
from shared.ports import UploadRecord


def file_name(conversation_id: ConversationId, attachment_id: AttachmentId) -> str:
    return f"files/{conversation_id}/{attachment_id}"


def grant_name(conversation_id: ConversationId, attachment_id: AttachmentId) -> str:
    return f"grants/{conversation_id}/{attachment_id}"


def thumbnail_name(conversation_id: ConversationId, attachment_id: AttachmentId) -> str:
    return f"thumbnails/{conversation_id}/{attachment_id}"


def marker_name(at: datetime, conversation_id: ConversationId, attachment_id: AttachmentId) -> str:
    return f"unsettled/{hour_of(at)}/{conversation_id}/{attachment_id}"


def hour_of(at: datetime) -> str:
    return at.strftime("%Y%m%d%H")


def from_hour(hour: str) -> datetime:
    return datetime.strptime(hour, "%Y%m%d%H").replace(tzinfo=UTC)


def hours_between(since: datetime | None, before: datetime) -> list[str]:
    """Return what the names of markers begin with: of all, or hour by hour from *since*."""
    if since is None:
        return ["unsettled/"]
    begin = since.replace(minute=0, second=0, microsecond=0)
    count = max(0, math.ceil((before - begin) / timedelta(hours=1)))
    return [f"unsettled/{hour_of(begin + timedelta(hours=n))}/" for n in range(count)]


def grant_text(granted: UploadRecord) -> str:
    return json.dumps(
        {
            "attachment": attachment_item(granted.attachment),
            "owner": granted.owner,
            "grantedAt": to_ms(granted.granted_at),
            "referred": granted.referred,
            "sequence": granted.sequence,
            "hasThumbnail": granted.has_thumbnail,
            "thumbnailTries": granted.thumbnail_tries,
        }
    )


def grant_from(text: bytes, etag: str) -> UploadRecord:
    item = json.loads(text)
    return UploadRecord(
        attachment_from_item(item["attachment"]),
        UserId(item["owner"]),
        from_ms(item["grantedAt"]),
        referred=item["referred"],
        sequence=item["sequence"],
        has_thumbnail=item["hasThumbnail"],
        thumbnail_tries=item.get("thumbnailTries", 0),
        etag=etag,
    )


def disposition(file_name: str, content_type: str) -> str:
    shown = content_type.startswith(("image/", "video/", "audio/"))
    kind = "inline" if shown else "attachment"
    # Checked again, because older grants were made before names had to fit their types.
    name = stored_file_name(file_name, content_type)
    return f"{kind}; filename*=UTF-8''{quote(name, safe='')}"
