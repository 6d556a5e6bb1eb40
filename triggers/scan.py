"""The malware scanner's verdicts: Defender for Storage, through Event Grid."""

import logging
from typing import TYPE_CHECKING, Any, Final

import azure.functions as func

from shared.bootstrap import chat
from triggers.bindings import PUSHES
from triggers.lazy import lazily

if TYPE_CHECKING:
    from triggers import decode, edge
else:
    decode = lazily("triggers.decode")
    edge = lazily("triggers.edge")

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
    result, place = data.get("scanResultType"), decode.file_place(str(data.get("blobUri", "")))
    if place is None:
        return  # not one of our files
    if result not in {_CLEAN, _MALICIOUS}:
        logger.error("attachment_scanned no verdict: %s", result)
        return
    edge.push(pushes, await (await chat()).files.take_verdict(*place, clean=result == _CLEAN))
