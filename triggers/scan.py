"""The malware scanner's verdicts: Defender for Storage, through Event Grid."""

import logging
from typing import Any, Final

import azure.functions as func

from shared.bootstrap import chat
from triggers.bindings import PUSHES
from triggers.lazy import decode, push

logger = logging.getLogger("parley")

bp = func.Blueprint()

_CLEAN: Final = "No threats found"
_MALICIOUS: Final = "Malicious"


@bp.event_grid_trigger(arg_name="event")
@bp.generic_output_binding(**PUSHES)
async def attachment_scanned(event: func.EventGridEvent, pushes: func.Out[str]) -> None:
    """Record one verdict: the event's data holds `blobUri` and `scanResultType`.

    A scan that failed gives no verdict: the file stays pending, and an error is logged.

    Source: Microsoft.Security.MalwareScanningResult, docs/operations.md#malware-scanning.
    """
    data: dict[str, Any] = event.get_json()
    result, place = data.get("scanResultType"), decode.file_place(str(data.get("blobUri", "")))
    if place is None:
        return  # a blob that is no attachment of the chat
    if result not in {_CLEAN, _MALICIOUS}:
        logger.error("attachment_scanned no verdict: %s", result)
        return
    push.send(pushes, await (await chat()).files.take_verdict(*place, clean=result == _CLEAN))
