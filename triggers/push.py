"""Hands pushes to the SignalR output binding."""

import json
from collections.abc import Iterable

import azure.functions as func

from shared.domain.events import Effect
from triggers import encode


def send(pushes: func.Out[str], effects: Iterable[Effect]) -> None:
    """Hand *effects* to the output binding, which sends them when the function has returned."""
    items = encode.signalr_items(effects)
    if items:
        pushes.set(json.dumps(items, separators=(",", ":"), ensure_ascii=False))
