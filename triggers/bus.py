"""The queue `notifications`: each notice is checked again and delivered."""

import json
import logging

import azure.functions as func

from shared.adapters.notices import notice_from_item
from shared.bootstrap import chat

logger = logging.getLogger("parley")

bp = func.Blueprint()


@bp.function_name("deliver_notification")
@bp.service_bus_queue_trigger(
    arg_name="message", queue_name="notifications", connection="ServiceBusConnection"
)
async def deliver_notification(message: func.ServiceBusMessage) -> None:
    """Deliver one notice. Raising gives it back to the queue, and at last to its dead letters."""
    notice = notice_from_item(json.loads(message.get_body()))
    notified = await (await chat()).notifications.deliver(notice)
    logger.info(
        "deliver_notification ok conversation=%s up_to=%d notified=%d",
        notice.conversation_id,
        notice.up_to,
        notified,
    )
