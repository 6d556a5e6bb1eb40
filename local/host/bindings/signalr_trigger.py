"""signalRTrigger: an event of a hub, delivered through the SignalR webhook."""

from local.host.context import Context, Trigger
from local.host.invoker import Invocable
from local.host.signalr_webhook import HubFunction

DEFAULT_SETTING = "AzureSignalRConnectionString"


class SignalRTrigger(Trigger):
    """Properties: `hubName`, `category`, `event`, `parameterNames`, `connectionStringSetting`."""

    def __init__(self, invocable: Invocable, context: Context) -> None:
        super().__init__(invocable, context)
        binding = self._binding
        binding.refuse_unknown(
            "hubName", "category", "event", "parameterNames", "connectionStringSetting"
        )
        category, event = binding.text("category"), binding.text("event")
        if category.lower() not in {"messages", "connections"}:
            raise binding.error("category is messages or connections")
        if category.lower() == "connections" and event.lower() not in {"connected", "disconnected"}:
            raise binding.error("event of category connections is connected or disconnected")
        names = binding.properties.get("parameterNames") or []
        if not isinstance(names, list):
            raise binding.error("parameterNames is a list")
        context.signalr.add(
            HubFunction(
                hub=binding.text("hubName"),
                category=category,
                event=event,
                invocable=invocable,
                connection=context.signalr_connection(
                    binding.text("connectionStringSetting", DEFAULT_SETTING)
                ),
                parameter_names=tuple(str(name) for name in names),
            )
        )
