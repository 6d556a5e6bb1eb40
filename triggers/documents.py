"""Documents of the change feeds, as values of the chat."""

from collections.abc import Iterable

import azure.functions as func

from shared.adapters.items import Item, conversation_from_item, message_from_item
from shared.domain.conversations.conversation import Conversation
from shared.domain.messages.message import Message


def texts(documents: func.DocumentList) -> list[str]:
    return [document.to_json() for document in documents]


def messages(items: Iterable[Item]) -> list[Message]:
    return [message_from_item(item) for item in items]


def conversations(items: Iterable[Item]) -> list[Conversation]:
    return [conversation_from_item(item) for item in items]
