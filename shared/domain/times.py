"""Times on the wire and in stores: epoch milliseconds."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_ms(at: datetime) -> int:
    """Return *at* as epoch milliseconds."""
    delta = at - _EPOCH
    return delta.days * 86_400_000 + delta.seconds * 1000 + delta.microseconds // 1000


def from_ms(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)  # exact, where a float of seconds is not


def optional_from_ms(ms: int | None) -> datetime | None:
    return from_ms(ms) if ms else None
