"""A bound on a conversation's newest activity, kept in each membership: `active_from`.

The store cannot sort a user's conversations by their newest message: that would cost a write for
each member with each message. Instead each membership has `active_from`, a moment that the
conversation's newest recorded message is less than `_BOUND` past. The flush renews it once the
newest message lies a week past it, so it costs one small write for each member in a week, however
many messages there are (docs/decisions/0016-sync-costs-what-changed.md).

A shorter period makes more writes. A longer one makes the first page of an inbox read more after
a loss: all conversations that may have been active since the last one it shows.
"""

from datetime import datetime, timedelta
from typing import Final

_RENEWED_AFTER: Final = timedelta(days=7)

# A renewal that misses a member who joins at that moment, and two workers' clocks that differ,
# leave a membership with an earlier moment than the renewal's: by seconds, never by a day.
_BOUND: Final = _RENEWED_AFTER + timedelta(days=1)


def renewed_before(active_at: datetime) -> datetime:
    """Return the latest `active_from` that a message of *active_at* makes the flush renew."""
    return active_at - _RENEWED_AFTER


def is_renewal_due(active_from: datetime | None, active_at: datetime) -> bool:
    """Tell whether a message of *active_at* must be recorded together with a new `active_from`."""
    return active_from is None or active_from <= renewed_before(active_at)


def active_before(active_from: datetime) -> datetime:
    """Return a moment that all recorded messages of such a conversation lie before."""
    return active_from + _BOUND


def latest_inactive(moment: datetime) -> datetime:
    """Return the latest `active_from` of conversations that have nothing at *moment* or later."""
    return moment - _BOUND
