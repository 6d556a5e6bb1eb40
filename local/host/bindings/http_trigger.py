"""httpTrigger: a route of the HTTP front."""

from typing import cast, override

from local.host.auth import Level
from local.host.context import Context, Trigger
from local.host.invoker import Invocable, TriggerEvent

_LEVELS = {"anonymous", "function", "admin"}


class HttpTrigger(Trigger):
    """Properties: `route` (default: the function's name), `methods` (default: all), `authLevel`."""

    def __init__(self, invocable: Invocable, context: Context) -> None:
        super().__init__(invocable, context)
        self._binding.refuse_unknown("route", "methods", "authLevel")
        level = self._binding.text("authLevel", "function").lower()
        if level not in _LEVELS:
            raise self._binding.error(f"authLevel {level} is not served")
        methods = self._binding.properties.get("methods")
        context.http.add(
            self._binding.text("route", invocable.name),
            frozenset(str(each).upper() for each in methods) if isinstance(methods, list) else None,
            cast("Level", level),
            invocable,
        )

    @override
    def event_for(self, text: str) -> TriggerEvent:
        raise ValueError("an HTTP function is called at its own route")
