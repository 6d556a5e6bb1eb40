"""NCRONTAB schedules: `{second} {minute} {hour} {day} {month} {day-of-week}`, in UTC.

Five fields leave the seconds out (0). A field is `*`, a number, a range `a-b`, a list, each with
an optional step `/n`; months and days of the week also by English name; Sunday is 0 or 7. A time
must fit both the day and the day of the week. A text such as `00:05:00` is a plain interval.
Source: github.com/atifaziz/NCrontab and learn.microsoft.com, "Timer trigger".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_INTERVAL = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})")
_PART = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?")
_YEARS_SEARCHED = 9  # 29 February recurs within eight years, 1900 and its like apart


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a timer fires; `interval` stands alone, without the sets."""

    seconds: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    interval: timedelta | None = None

    def next_after(self, moment: datetime) -> datetime:
        """Return the first time after *moment* (exclusive) that the schedule names.

        Raises:
            ValueError: There is none, such as for 30 February.

        """
        if self.interval is not None:
            return moment + self.interval
        start = moment.replace(microsecond=0) + timedelta(seconds=1)
        for day in self._matching_days(start):
            earliest = start if day.date() == start.date() else day
            for hour in self.hours:
                for minute in self.minutes:
                    for second in self.seconds:
                        at = day.replace(hour=hour, minute=minute, second=second)
                        if at >= earliest:
                            return at
        raise ValueError("the schedule never fires")

    def _matching_days(self, start: datetime) -> Iterator[datetime]:
        day = start.replace(hour=0, minute=0, second=0)
        for _ in range(_YEARS_SEARCHED * 366):
            weekday = day.isoweekday() % 7
            if day.month in self.months and day.day in self.days and weekday in self.weekdays:
                yield day
            day += timedelta(days=1)


def parse(text: str) -> Schedule:
    """Parse *text*.

    Raises:
        ValueError: It is neither a schedule of five or six fields nor an interval above zero.

    """
    interval = _INTERVAL.fullmatch(text.strip())
    if interval is not None:
        return Schedule(interval=_interval(*interval.groups()))
    fields = text.split()
    if len(fields) == 5:
        fields.insert(0, "0")
    if len(fields) != 6:
        raise ValueError(f"{text!r} is not a schedule of five or six fields")
    seconds, minutes, hours, days, months, weekdays = fields
    return Schedule(
        seconds=tuple(sorted(_field(seconds, 0, 59))),
        minutes=tuple(sorted(_field(minutes, 0, 59))),
        hours=tuple(sorted(_field(hours, 0, 23))),
        days=_field(days, 1, 31),
        months=_field(months, 1, 12, _MONTHS, 1),
        weekdays=frozenset(day % 7 for day in _field(weekdays, 0, 7, _DAYS, 0)),
    )


def _interval(days: str | None, hours: str, minutes: str, seconds: str) -> timedelta:
    interval = timedelta(
        days=int(days or 0), hours=int(hours), minutes=int(minutes), seconds=int(seconds)
    )
    if not interval:
        raise ValueError("an interval is longer than zero")
    return interval


def _field(
    text: str, low: int, high: int, names: list[str] | None = None, first: int = 0
) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is not understood in a schedule")
        start, end, step = match.groups()
        if start == "*":
            begin, last = low, high
        else:
            begin = _number(start, names, first)
            last = _number(end, names, first) if end else (high if step else begin)
        if not low <= begin <= last <= high or step == "0":
            raise ValueError(f"{part!r} is out of range in a schedule")
        values.update(range(begin, last + 1, int(step or 1)))
    return frozenset(values)


def _number(text: str, names: list[str] | None, first: int) -> int:
    if text.isdecimal():
        return int(text)
    if names is not None and text[:3].lower() in names:
        return names.index(text[:3].lower()) + first
    raise ValueError(f"{text!r} is not understood in a schedule")
