"""Timers: receipts are flushed, lapsed leases announced. And the warm-up of a new worker."""

import logging
from typing import TYPE_CHECKING, Final

import azure.functions as func
from azure.functions.warmup import WarmUpContext

from shared.bootstrap import chat
from shared.timing import Timing
from triggers.bindings import PUSHES
from triggers.lazy import lazily

if TYPE_CHECKING:
    from triggers import edge
else:
    edge = lazily("triggers.edge")

logger = logging.getLogger("parley")

bp = func.Blueprint()

_TIMING: Final = Timing.from_env()


def every(seconds: int) -> str:
    """Return the NCRONTAB schedule that fires every *seconds* (1 to 59) of each minute."""
    return f"*/{seconds} * * * * *"


@bp.function_name("flush_receipts")
@bp.timer_trigger(arg_name="timer", schedule=every(_TIMING.receipt_flush_s))
@bp.generic_output_binding(**PUSHES)
async def flush_receipts(timer: func.TimerRequest, pushes: func.Out[str]) -> None:
    """Write changed receipts to the store, and tell groups of them."""
    del timer
    edge.push(pushes, await (await chat()).receipts.flush())


@bp.function_name("sweep_presence")
@bp.timer_trigger(arg_name="timer", schedule=every(_TIMING.presence_sweep_s))
@bp.generic_output_binding(**PUSHES)
async def sweep_presence(timer: func.TimerRequest, pushes: func.Out[str]) -> None:
    """Announce offline those whose last lease lapsed."""
    del timer
    edge.push(pushes, await (await chat()).presences.sweep())


@bp.function_name("sweep_uploads")
@bp.timer_trigger(arg_name="timer", schedule="0 17 * * * *")
async def sweep_uploads(timer: func.TimerRequest) -> None:
    """Delete uploads that were never sent."""
    del timer
    swept = await (await chat()).upload_sweep.sweep()
    logger.info("sweep_uploads ok swept=%d", swept)


@bp.function_name("warm_up")
@bp.warm_up_trigger("warmup")
async def warm_up(warmup: WarmUpContext) -> None:
    """Build the clients before the first call needs them."""
    del warmup
    await chat()
