"""Opens SignalR Service for the composition root."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from azure.core.credentials_async import AsyncTokenCredential

from shared.adapters.signalr.connections import SignalRConnections
from shared.adapters.signalr.health import SignalRHealth
from shared.config import Settings

HUB: Final = "chat"


@dataclass(frozen=True, slots=True)
class SignalRPorts:
    """The hub's groups and connections, and what `health` asks."""

    connections: SignalRConnections
    probe: SignalRHealth

    async def aclose(self) -> None:
        """End the connections to the service's REST API."""
        await self.connections.aclose()


def open_signalr(
    settings: Settings, credential: Callable[[], AsyncTokenCredential]
) -> SignalRPorts:
    """Return what reaches the hub of the service that *settings* name; nothing is sent yet."""
    return SignalRPorts(
        SignalRConnections(settings.signalr, HUB, credential), SignalRHealth(settings.signalr)
    )
