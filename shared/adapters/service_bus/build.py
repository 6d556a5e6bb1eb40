"""Opens Service Bus for the composition root."""

from collections.abc import Callable

from azure.core.credentials_async import AsyncTokenCredential

from shared.adapters.service_bus.queue import ServiceBusQueue
from shared.config import Settings


def open_service_bus(
    settings: Settings, credential: Callable[[], AsyncTokenCredential]
) -> ServiceBusQueue:
    """Return the queue; its `probe` is what `health` asks. Nothing is sent yet."""
    return ServiceBusQueue(settings.service_bus, credential)
