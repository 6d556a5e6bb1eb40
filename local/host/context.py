"""What triggers and bindings are built from, and the shape they have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from local.host.appsettings import AppSettings
from local.host.hostjson import HostJson
from local.host.http_front import HttpFront
from local.host.invoker import Invocable, Invoker, TriggerEvent
from local.host.signalr_connection import SignalRConnection
from local.host.signalr_webhook import SignalRWebhook
from local.host.typed_value import TypedValue, string


@dataclass(frozen=True, slots=True)
class Context:
    """The host's parts, as far as a trigger or binding may use them.

    Args:
        directory: Where the host keeps its own state.
        session: The one HTTP client session, with its kept-alive connections.

    """

    settings: AppSettings
    host_json: HostJson
    directory: Path
    invoker: Invoker
    http: HttpFront
    signalr: SignalRWebhook
    session: Callable[[], aiohttp.ClientSession]

    def signalr_connection(self, setting: str) -> SignalRConnection:
        """Return the SignalR connection that app setting *setting* describes."""
        return SignalRConnection.parse(self.settings.require(setting), setting)


class Trigger:
    """What sets one function off. Subclasses register themselves or override `run`."""

    def __init__(self, invocable: Invocable, context: Context) -> None:
        self.invocable = invocable
        self._context = context
        self._binding = invocable.function.trigger

    async def run(self) -> None:
        """Listen until cancelled; return at once when there is nothing to listen to."""

    def event_for(self, text: str) -> TriggerEvent:
        """Return the event that the *text* given to the admin call stands for.

        Raises:
            ValueError: A function of this kind cannot be run that way.

        """
        return TriggerEvent(self._admin_value(text))

    def _admin_value(self, text: str) -> TypedValue:
        return string(text)
