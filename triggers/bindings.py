"""Names that bindings share. Nothing but constants: it is imported while the app is indexed."""

from typing import Final

HUB: Final = "chat"
SIGNALR: Final = "AzureSignalRConnectionString"
# Keyword arguments of the output binding; its name is that of the handlers' parameter.
PUSHES: Final = {
    "arg_name": "pushes",
    "type": "signalR",
    "hubName": HUB,
    "connectionStringSetting": SIGNALR,
}
DATABASE: Final = "%CHAT_COSMOS_DATABASE%"
COSMOS: Final = "CosmosConnection"
QUEUE: Final = "notifications"
