"""Documents of the change feeds and messages of the queue, as values of the chat."""

import json
from collections.abc import Iterable

import azure.functions as func

from shared.adapters.items import Item, conversation_from_item, message_from_item
from shared.adapters.notices import notice_from_item, set_aside_from_item
from shared.domain.conversation import Conversation
from shared.domain.message import Message
from shared.domain.notification import Notice
from shared.ports import SetAside


def texts(documents: func.DocumentList) -> list[str]:
    return [one.to_json() for one in documents]


def messages(items: Iterable[Item]) -> list[Message]:
    return [message_from_item(item) for item in items]


def conversations(items: Iterable[Item]) -> list[Conversation]:
    return [conversation_from_item(item) for item in items]


def traceparent(message: func.ServiceBusMessage) -> object:
    """Return what the sender of *message* said of its trace."""
    return (message.application_properties or {}).get("traceparent")


def set_aside(message: func.ServiceBusMessage) -> SetAside | None:
    """Return what a function had set aside; None when *message* holds a notice."""
    return set_aside_from_item(json.loads(message.get_body()))


def notice(message: func.ServiceBusMessage) -> Notice:
    return notice_from_item(json.loads(message.get_body()))
