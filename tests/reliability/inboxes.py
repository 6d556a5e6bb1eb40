"""Looks at inboxes and receipts: while services fail, and at the end."""

import asyncio
from typing import Any

from tests.reliability.caller import Caller
from tests.reliability.final_state import now_ms
from tests.reliability.history import History, Inbox, Receipts

_PAUSE_S = 0.7


async def look_on(
    caller: Caller, conversation: str, ended: asyncio.Event, history: History
) -> None:
    """Have *caller* look at their inbox and at everyone's receipts until *ended* is set."""
    while not ended.is_set():
        await asyncio.sleep(_PAUSE_S)
        history += await _receipts(caller, conversation)
        history += await inbox_of(caller, final=False)


async def inbox_of(caller: Caller, *, final: bool) -> list[Inbox]:
    """Return the caller's inbox as it is shown, or nothing when it cannot be."""
    asked = now_ms()
    answer = await caller.attempt("GET", "/conversations?limit=100")
    if answer.status != 200:
        return []
    rows = tuple(_row(item) for item in answer.json["items"])
    return [Inbox(asked, now_ms(), caller.who, final, rows)]


def _row(item: dict[str, Any]) -> tuple[str, int, int, int, int]:
    conversation, receipt = item["conversation"], item["receipt"]
    marks = (receipt["delivered"], receipt["read"])
    return (conversation["id"], conversation["latestSequence"], item["unreadCount"], *marks)


async def _receipts(caller: Caller, conversation: str) -> list[Receipts]:
    asked = now_ms()
    answer = await caller.attempt("GET", f"/conversations/{conversation}")
    if answer.status != 200:
        return []
    latest, until = answer.json["latestSequence"], now_ms()
    return [
        Receipts(
            *(asked, until, one["userId"], conversation),
            *(one["delivered"], one["read"], latest),
        )
        for one in answer.json["receipts"]
    ]
