"""Triggers of services that have no stand-in: they fire through the admin call alone.

A function runs with the admin call's `input` as the trigger's value. warmupTrigger is the one
that fires by itself: once on each new worker, before it gets its first call.
"""

from typing import override

from local.host.context import Trigger
from local.host.typed_value import TypedValue


class JsonTrigger(Trigger):
    """eventGridTrigger and sqlTrigger: `input` is the JSON text of the event or of the rows."""

    @override
    def _admin_value(self, text: str) -> TypedValue:
        return TypedValue("json", text)


class TextTrigger(Trigger):
    """manualTrigger: a function for operators; `input` is its value as it stands."""

    @override
    def _admin_value(self, text: str) -> TypedValue:
        return TypedValue("string", text)


class WarmupTrigger(Trigger):
    """warmupTrigger: its value says nothing."""
