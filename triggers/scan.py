"""The malware scanner's verdicts: Defender for Storage, through Event Grid."""

import logging
from typing import Any, Final
from urllib.parse import urlsplit

import azure.functions as func

from shared.bootstrap import chat
from shared.domain.ids import (
    AttachmentId,
    ConversationId,
    is_attachment_id,
    is_conversation_id,
)
from triggers.edge import PUSHES, push

logger = logging.getLogger("parley")

bp = func.Blueprint()

_CLEAN: Final = "No threats found"
_MALICIOUS: Final = "Malicious"


@bp.function_name("attachment_scanned")
@bp.event_grid_trigger(arg_name="event")
@bp.generic_output_binding(**PUSHES)
async def attachment_scanned(event: func.EventGridEvent, pushes: func.Out[str]) -> None:
    """Take one verdict: the event's data holds `blobUri` and `scanResultType`.

    A scan that failed is no verdict: the file stays pending, which the log says.

    Source: Microsoft.Security.MalwareScanningResult, docs/operations.md#malware-scanning.
    """
    data: dict[str, Any] = event.get_json()
    result, place = data.get("scanResultType"), _place(str(data.get("blobUri", "")))
    if place is None:
        return  # not one of our files
    if result not in {_CLEAN, _MALICIOUS}:
        logger.error("attachment_scanned no verdict: %s", result)
        return
    push(pushes, await (await chat()).files.take_verdict(*place, clean=result == _CLEAN))


def _place(blob_uri: str) -> tuple[ConversationId, AttachmentId] | None:
    # .../attachments/files/<conversation>/<attachment>
    parts = urlsplit(blob_uri).path.split("/")[-3:]
    if len(parts) != 3 or parts[0] != "files":
        return None
    if not is_conversation_id(parts[1]) or not is_attachment_id(parts[2]):
        return None
    return ConversationId(parts[1]), AttachmentId(parts[2])
