"""The queue `notifications`: notification jobs to check again and deliver, and other jobs."""

import azure.functions as func

from shared import telemetry
from triggers.bindings import PUSHES, QUEUE
from triggers.feed import HANDLERS
from triggers.lazy import jobs, push

bp = func.Blueprint()


@bp.service_bus_queue_trigger(
    arg_name="message", queue_name=QUEUE, connection="ServiceBusConnection"
)
@bp.generic_output_binding(**PUSHES)
async def deliver_notification(message: func.ServiceBusMessage, pushes: func.Out[str]) -> None:
    """Deliver one notification job, or do another job.

    An exception gives the message back to the queue, and after some tries to its dead letters.
    """
    telemetry.begin(jobs.traceparent(message))
    push.send(pushes, await jobs.do(jobs.job_of(message), HANDLERS))
