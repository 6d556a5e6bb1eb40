"""Names that bindings share. Imported while the app is indexed, so it imports very little."""

from typing import Final

from shared.env import SettingsReader

HUB: Final = "chat"
SIGNALR: Final = "AzureSignalRConnectionString"
# Keyword arguments of the output binding; its name is that of the handlers' parameter.
PUSHES: Final = {
    "arg_name": "pushes",
    "type": "signalR",
    "hubName": HUB,
    "connectionStringSetting": SIGNALR,
}
# The header in which a caller of `negotiate` claims a user id. In front of the app, App Service
# Authentication sets its header for the user it has proved, and removes it from what clients send.
# The binding's expression is fixed when the app is indexed, so the choice is made here, by the
# setting that also decides how principals are proved: the two cannot differ.
_BY_PLATFORM: Final = SettingsReader(None).text("CHAT_AUTH_MODE", "jwt") == "easyauth"
CLAIMED_ID: Final = "x-ms-client-principal-id" if _BY_PLATFORM else "x-ms-signalr-userid"
DATABASE: Final = "%CHAT_COSMOS_DATABASE%"
COSMOS: Final = "CosmosConnection"
QUEUE: Final = "notifications"
