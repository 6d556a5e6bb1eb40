"""What Newtonsoft.Json does to strings that look like ISO dates.

The SignalR extension reads arguments and output items into tokens with date parsing on, and
writes them out again: fractions lose trailing zeros, offsets become local time (UTC, as on
Azure), text that has no offset keeps none. Source: `JsonReader.DateParseHandling`, Json.NET.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

_DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,7})\d*)?(?:(Z)|([+-])(\d\d):?(\d\d))?"
)
_SUSPECT = re.compile(r'"\d{4}-\d\d-\d\dT')


def may_hold_dates(text: str) -> bool:
    """Whether JSON *text* holds a string that `rewrite` might change."""
    return _SUSPECT.search(text) is not None


def rewrite(value: object) -> object:
    """Return JSON-like *value* with every date string, at any depth, as Json.NET rewrites it."""
    if isinstance(value, str):
        return _rewritten(value)
    if isinstance(value, list):
        return [rewrite(item) for item in value]
    if isinstance(value, dict):
        return {key: rewrite(item) for key, item in value.items()}
    return value


def _rewritten(text: str) -> str:
    match = _DATE.fullmatch(text)
    if match is None:
        return text
    try:
        written = datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
        moment, zone = _in_utc(written, match)
    except (ValueError, OverflowError):
        return text
    fraction = (match[7] or "").rstrip("0")
    seconds = moment.replace(tzinfo=None).isoformat(timespec="seconds")
    return f"{seconds}{'.' + fraction if fraction else ''}{zone}"


def _in_utc(moment: datetime, match: re.Match[str]) -> tuple[datetime, str]:
    if match[8]:
        return moment, "Z"
    if not match[9]:
        return moment, ""
    offset = timedelta(hours=int(match[10]), minutes=int(match[11]))
    zone = timezone(-offset if match[9] == "-" else offset)
    return moment.replace(tzinfo=zone).astimezone(UTC), "+00:00"
