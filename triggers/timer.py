"""Timers: flush receipts, announce lapsed leases, sweep uploads. And the warm-up of a worker."""

import logging
from typing import Final

import azure.functions as func
from azure.functions.warmup import WarmUpContext

from shared.bootstrap import chat
from shared.timing import Timing
from triggers.bindings import PUSHES
from triggers.lazy import push

logger = logging.getLogger("parley")

bp = func.Blueprint()

_TIMING: Final = Timing.from_env()


def every(seconds: int) -> str:
    """Return the NCRONTAB schedule that fires every *seconds* (1 to 59) of each minute."""
    return f"*/{seconds} * * * * *"


@bp.timer_trigger(arg_name="timer", schedule=every(_TIMING.receipt_flush_s))
@bp.generic_output_binding(**PUSHES)
async def flush_receipts(timer: func.TimerRequest, pushes: func.Out[str]) -> None:
    """Write changed receipts to the store, and push them to groups."""
    del timer
    push.send(pushes, await (await chat()).receipt_flush.flush())


@bp.timer_trigger(arg_name="timer", schedule=every(_TIMING.presence_sweep_s))
@bp.generic_output_binding(**PUSHES)
async def sweep_presence(timer: func.TimerRequest, pushes: func.Out[str]) -> None:
    """Announce as offline the users whose last lease has lapsed."""
    del timer
    push.send(pushes, await (await chat()).presences.sweep())


@bp.timer_trigger(arg_name="timer", schedule="0 17 * * * *")
async def sweep_uploads(timer: func.TimerRequest) -> None:
    """Delete uploads that were never sent."""
    del timer
    swept = await (await chat()).upload_sweep.sweep()
    logger.info("sweep_uploads ok swept=%d", swept)


@bp.warm_up_trigger("warmup")
async def warm_up(warmup: WarmUpContext) -> None:
    """Build the clients before the first call needs them."""
    del warmup
    await chat()
