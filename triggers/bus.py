"""The queue `notifications`: each notice is checked again and delivered."""

import logging
from typing import TYPE_CHECKING

import azure.functions as func

from shared import telemetry
from shared.bootstrap import chat
from triggers.bindings import QUEUE
from triggers.lazy import lazily

if TYPE_CHECKING:
    from triggers import documents
else:
    documents = lazily("triggers.documents")

logger = logging.getLogger("parley")

bp = func.Blueprint()


@bp.function_name("deliver_notification")
@bp.service_bus_queue_trigger(
    arg_name="message", queue_name=QUEUE, connection="ServiceBusConnection"
)
async def deliver_notification(message: func.ServiceBusMessage) -> None:
    """Deliver one notice. Raising gives it back to the queue, and at last to its dead letters."""
    telemetry.begin(documents.traceparent(message))
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
