"""Which class serves which binding; a class's module is imported only when the app uses it."""

import importlib
from collections.abc import Callable
from typing import cast

from local.host.context import Context, Trigger
from local.host.functions import Binding, Function
from local.host.invoker import InputBinding, Invocable, OutputBinding

_HERE = "local.host.bindings"
_TRIGGERS = {
    "httptrigger": "http_trigger:HttpTrigger",
    "signalrtrigger": "signalr_trigger:SignalRTrigger",
    "timertrigger": "timer:TimerTrigger",
    "servicebustrigger": "servicebus:ServiceBusTrigger",
    "cosmosdbtrigger": "cosmos:CosmosTrigger",
    "sqltrigger": "quiet:JsonTrigger",
    "eventgridtrigger": "quiet:JsonTrigger",
    "manualtrigger": "quiet:TextTrigger",
    "warmuptrigger": "quiet:WarmupTrigger",
}
_INPUTS = {"signalrconnectioninfo": "signalr_info:SignalRConnectionInfo"}
_OUTPUTS = {
    "signalr": "signalr_output:SignalROutput",
    "servicebus": "servicebus_output:ServiceBusOutput",
}
_RETRIED = frozenset({"timertrigger", "cosmosdbtrigger"})


def build(function: Function, context: Context) -> Trigger:
    """Put *function* together: its inputs, its outputs, and the trigger that will set it off.

    Raises:
        StartError: It uses a binding, a property or a retry policy this host does not serve.

    """
    trigger = function.trigger
    if function.retry is not None and trigger.type.lower() not in _RETRIED:
        raise trigger.error("a retry policy is served for timer and Cosmos DB triggers only")
    invocable = Invocable(
        function=function,
        inputs=[
            (binding.name, cast("InputBinding", _class(_INPUTS, binding)(binding, context)))
            for binding in function.inputs
        ],
        outputs={
            binding.name: cast("OutputBinding", _class(_OUTPUTS, binding)(binding, context))
            for binding in function.outputs
            if not _is_http_reply(binding, trigger)
        },
    )
    return cast("Trigger", _class(_TRIGGERS, trigger)(invocable, context))


def _is_http_reply(binding: Binding, trigger: Binding) -> bool:
    if binding.type.lower() != "http":
        return False
    if trigger.type.lower() != "httptrigger" or binding.name != "$return":
        raise binding.error("an http output is served as the returned value of an HTTP function")
    return True


def _class(table: dict[str, str], binding: Binding) -> Callable[..., object]:
    place = table.get(binding.type.lower())
    if place is None:
        raise binding.error("this host does not serve bindings of this type")
    module, _, name = place.partition(":")
    served = getattr(importlib.import_module(f"{_HERE}.{module}"), name)
    return cast("Callable[..., object]", served)
