"""serviceBus output: messages sent through one open sender for each binding."""

import asyncio
import json

from azure.core.exceptions import AzureError
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient, ServiceBusSender
from azure.servicebus.exceptions import MessagingEntityNotFoundError

from local.host.bindings.servicebus_message import refuse_topics
from local.host.context import Context
from local.host.errors import BindingError
from local.host.functions import Binding
from local.host.typed_value import TypedValue, dumps


class ServiceBusOutput:
    """Properties: `connection` and `queueName`.

    A JSON array is as many messages as it has elements, as in the real host.
    """

    def __init__(self, binding: Binding, context: Context) -> None:
        refuse_topics(binding)
        binding.refuse_unknown("connection", "queueName", "accessRights")
        self._connection = context.settings.require(binding.text("connection"))
        self._queue = binding.text("queueName")
        self._client: ServiceBusClient | None = None
        self._sender: ServiceBusSender | None = None
        # The SDK's senders are not for several tasks at once.
        self._turn = asyncio.Lock()

    async def write(self, value: TypedValue) -> None:
        """Send *value*, one message after another.

        Raises:
            BindingError: The broker cannot be reached or refuses a message.

        """
        bodies = _bodies(value)
        async with self._turn:
            if await self._send(bodies) is None:
                return
            # A link kept over the broker's restart is dead; a fresh one tells the truth.
            error = await self._send(bodies)
            if error is not None:
                raise BindingError(f"Service Bus: {self._what(error)}") from error

    async def _send(self, bodies: list[str | bytes]) -> Exception | None:
        try:
            sender = self._open()
            while bodies:
                await sender.send_messages(ServiceBusMessage(bodies[0]))
                del bodies[0]
        except (AzureError, OSError, ValueError) as error:
            await self._drop()
            return error
        return None

    def _what(self, error: Exception) -> str:
        if isinstance(error, MessagingEntityNotFoundError):
            return f"queue {self._queue} does not exist; declare it in the data model"
        return type(error).__name__

    def _open(self) -> ServiceBusSender:
        if self._sender is None:
            self._client = ServiceBusClient.from_connection_string(self._connection, retry_total=1)
            self._sender = self._client.get_queue_sender(self._queue)
        return self._sender

    async def _drop(self) -> None:
        client, self._client, self._sender = self._client, None, None
        if client is not None:
            await client.close()


def _bodies(value: TypedValue) -> list[str | bytes]:
    if isinstance(value.value, bytes):
        return [value.value]
    text = str(value.value)
    if not text.lstrip().startswith("["):
        return [text]
    try:
        parsed = json.loads(text)
    except ValueError:
        return [text]
    return [each if isinstance(each, str) else dumps(each) for each in parsed]
