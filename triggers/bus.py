"""The queue `notifications`: notices to check again and deliver, and what was set aside."""

import logging

import azure.functions as func

from shared import telemetry
from shared.bootstrap import chat
from triggers.bindings import PUSHES, QUEUE
from triggers.lazy import batches, documents, push

logger = logging.getLogger("parley")

bp = func.Blueprint()


@bp.service_bus_queue_trigger(
    arg_name="message", queue_name=QUEUE, connection="ServiceBusConnection"
)
@bp.generic_output_binding(**PUSHES)
async def deliver_notification(message: func.ServiceBusMessage, pushes: func.Out[str]) -> None:
    """Deliver one notice, or handle again what was set aside.

    Raising gives it back to the queue, and at last to its dead letters.
    """
    telemetry.begin(documents.traceparent(message))
    aside = documents.set_aside(message)
    if aside is not None:
        push.send(pushes, await batches.handle_again(aside.function, aside.document))
        logger.info("deliver_notification ok again=%s", aside.function)
        return
    notice = documents.notice(message)
    services = await chat()
    work = services.clearing if notice.clear else services.notifications
    done = await work.deliver(notice)
    logger.info(
        "deliver_notification ok conversation=%s up_to=%d %s=%d",
        notice.conversation_id,
        notice.up_to,
        "cleared" if notice.clear else "notified",
        done,
    )
