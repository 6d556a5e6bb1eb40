"""Documents of the change feeds and messages of the queue, as values of the chat."""

import json

import azure.functions as func

from shared.adapters.items import conversation_from_item, message_from_item
from shared.adapters.notices import notice_from_item
from shared.domain.conversation import Conversation
from shared.domain.message import Message
from shared.domain.notification import Notice


def messages(documents: func.DocumentList) -> list[Message]:
    return [message_from_item(json.loads(one.to_json())) for one in documents]


def conversations(documents: func.DocumentList) -> list[Conversation]:
    return [conversation_from_item(json.loads(one.to_json())) for one in documents]


def traceparent(message: func.ServiceBusMessage) -> object:
    """Return what the sender of *message* said of its trace."""
    return (message.application_properties or {}).get("traceparent")


def notice(message: func.ServiceBusMessage) -> Notice:
    return notice_from_item(json.loads(message.get_body()))
