"""timerTrigger: a schedule, with its state kept on disk as the real host keeps it in storage.

A timer never overlaps itself: the next occurrence is computed when the function has ended.
Source: WebJobs.Extensions.Timers, `TimerListener` and `ScheduleMonitor`.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import override

from local.host import ncrontab
from local.host.context import Context, Trigger
from local.host.invoker import Invocable, TriggerEvent
from local.host.typed_value import TypedValue, encoded

_LONGEST_SLEEP_S = 3600.0  # a suspended machine's clock jumps; look again every hour
_SHORTEST_MONITORED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Status:
    last: datetime
    next: datetime
    updated: datetime


class TimerTrigger(Trigger):
    """Properties: `schedule`, `runOnStartup`, `useMonitor` (off for intervals below a minute)."""

    def __init__(self, invocable: Invocable, context: Context) -> None:
        super().__init__(invocable, context)
        binding = self._binding
        binding.refuse_unknown("schedule", "runOnStartup", "useMonitor")
        try:
            self._schedule = ncrontab.parse(binding.text("schedule"))
            now = datetime.now(UTC)
            first = self._schedule.next_after(now)
            second = self._schedule.next_after(first)
        except ValueError as error:
            raise binding.error(str(error)) from None
        self._runs_on_startup = binding.flag("runOnStartup", default=False)
        monitored = binding.flag("useMonitor", default=True)
        self._file: Path | None = None
        if monitored and second - first >= _SHORTEST_MONITORED:
            self._file = context.directory / "timers" / f"{invocable.name}.json"

    @override
    async def run(self) -> None:
        status = self._load()
        if status is None:
            status = self._advance(None)
        is_past_due = self._file is not None and status.next < datetime.now(UTC)
        if is_past_due or self._runs_on_startup:
            status = await self._fire(status, datetime.now(UTC), is_past_due=is_past_due)
        while True:
            await _sleep_until(status.next)
            status = await self._fire(status, status.next, is_past_due=False)

    async def _fire(self, status: _Status, occurrence: datetime, *, is_past_due: bool) -> _Status:
        started_at = datetime.now(UTC)
        value = self._value(status, is_past_due=is_past_due)
        await self._context.invoker.invoke_with_retries(self.invocable, TriggerEvent(value))
        # An occurrence that came up early by a clock's whim must not fire twice.
        return self._advance(max(started_at, occurrence))

    def _advance(self, last: datetime | None) -> _Status:
        now = datetime.now(UTC)
        status = _Status(
            last=last or datetime.min.replace(tzinfo=UTC),
            next=self._schedule.next_after(max(now, last) if last else now),
            updated=now,
        )
        self._save(status)
        return status

    def _value(self, status: _Status, *, is_past_due: bool) -> TypedValue:
        schedule_status = None if self._file is None else _shown(status)
        return encoded(
            {
                "Schedule": {"AdjustForDST": True},
                "ScheduleStatus": schedule_status,
                "IsPastDue": is_past_due,
            }
        )

    @override
    def _admin_value(self, text: str) -> TypedValue:
        return self._value(self._load() or self._advance(None), is_past_due=False)

    def _load(self) -> _Status | None:
        if self._file is None or not self._file.exists():
            return None
        state = json.loads(self._file.read_text(encoding="utf-8"))
        if state["Schedule"] != self._binding.text("schedule"):
            return None  # a changed schedule owes nothing for the old one
        moments = (datetime.fromisoformat(state[key]) for key in ("Last", "Next", "LastUpdated"))
        return _Status(*moments)

    def _save(self, status: _Status) -> None:
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".new")
        state = {**_shown(status), "Schedule": self._binding.text("schedule")}
        draft.write_text(json.dumps(state), encoding="utf-8")
        draft.replace(self._file)


def _shown(status: _Status) -> dict[str, str]:
    return {
        "Last": status.last.isoformat(),
        "Next": status.next.isoformat(),
        "LastUpdated": status.updated.isoformat(),
    }


async def _sleep_until(moment: datetime) -> None:
    while True:
        left_s = (moment - datetime.now(UTC)).total_seconds()
        if left_s <= 0:
            return
        await asyncio.sleep(min(left_s, _LONGEST_SLEEP_S))
