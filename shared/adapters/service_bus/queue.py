"""The queue `notifications` on Service Bus."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, override

from azure.core.credentials_async import AsyncTokenCredential
from azure.servicebus import (
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusSubQueue,
)
from azure.servicebus.aio import ServiceBusClient, ServiceBusSender
from azure.servicebus.exceptions import ServiceBusError

from shared import telemetry
from shared.adapters.service_bus.jobs import envelope
from shared.adapters.service_bus.probe import LastingProbe
from shared.config import Endpoint
from shared.domain.errors import UnavailableError
from shared.ports import Bus, Job

QUEUE: Final = "notifications"
_TIMEOUT_S: Final = 15.0
_EMPTY_AFTER_S: Final = 2.0
_REFUSED = (ServiceBusError, OSError, TimeoutError)


class ServiceBusQueue(Bus):
    """Fulfils `Bus`. Opening the sender takes half a second, so it is opened once and kept.

    `probe` tells whether the queue answers.
    """

    def __init__(self, endpoint: Endpoint, credential: Callable[[], AsyncTokenCredential]) -> None:
        if endpoint.connection_string:
            self._client = ServiceBusClient.from_connection_string(endpoint.connection_string)
        else:
            self._client = ServiceBusClient(endpoint.address, credential())
        self.probe = LastingProbe(self._open_link)
        self._sender: ServiceBusSender | None = None
        # The SDK's sender is not safe for concurrent use.
        self._turn = asyncio.Lock()

    @override
    async def send(self, job: Job, *, delay_s: float = 0) -> None:
        packed = envelope(job)
        message = ServiceBusMessage(
            packed.body,
            message_id=packed.message_id,
            content_type="application/json",
            application_properties=_trace() | dict(packed.properties.items()),
        )
        if delay_s:
            message.scheduled_enqueue_time_utc = datetime.now(UTC) + timedelta(seconds=delay_s)
        await self._send(message)

    @override
    async def replay(self, *, limit: int) -> int:
        try:
            async with (
                asyncio.timeout(_TIMEOUT_S + _EMPTY_AFTER_S),
                self._client.get_queue_receiver(
                    QUEUE, sub_queue=ServiceBusSubQueue.DEAD_LETTER
                ) as receiver,
            ):
                letters = await receiver.receive_messages(limit, max_wait_time=_EMPTY_AFTER_S)
                for letter in letters:
                    # Sent first: a crash in between leaves it twice, which is harmless, not lost.
                    await self._send(_again(letter))
                    await receiver.complete_message(letter)
        except _REFUSED as error:
            raise UnavailableError("the queue did not answer") from error
        return len(letters)

    async def aclose(self) -> None:
        """End the probe and the sender, then the client that both use."""
        await self.probe.aclose()
        async with self._turn:
            await self._forget()
            await self._client.close()

    async def _open_link(self) -> None:
        # A link that is open already proves nothing: it stays open while the broker stands still.
        # The broker must answer a new one.
        try:
            async with self._client.get_queue_sender(QUEUE):
                return
        except _REFUSED as error:
            raise UnavailableError("the queue did not answer") from error

    async def _send(self, message: ServiceBusMessage) -> None:
        async with self._turn:
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    await (await self._opened()).send_messages(message)
            except _REFUSED as error:
                await self._forget()
                raise UnavailableError("the queue did not answer") from error

    async def _opened(self) -> ServiceBusSender:
        if self._sender is None:
            sender = self._client.get_queue_sender(QUEUE)
            await sender.__aenter__()
            self._sender = sender
        return self._sender

    async def _forget(self) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            try:
                await sender.close()
            except _REFUSED:
                return


def _again(letter: ServiceBusReceivedMessage) -> ServiceBusMessage:
    # Without its message id: duplicate detection would drop a message with the same id.
    return ServiceBusMessage(
        b"".join(letter.body),
        content_type=letter.content_type,
        application_properties=letter.application_properties,
    )


def _trace() -> dict[str | bytes, Any]:
    # Functions' host reads Diagnostic-Id, the older name, to join its own telemetry.
    traceparent = telemetry.traceparent()
    return dict.fromkeys(("traceparent", "Diagnostic-Id"), traceparent) if traceparent else {}
