"""NCRONTAB schedules."""

from datetime import UTC, datetime

import pytest

from local.host import ncrontab


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "moment", "expected"),
    [
        ("*/5 * * * * *", "2026-01-01T00:00:00", "2026-01-01T00:00:05"),
        ("*/5 * * * * *", "2026-01-01T00:00:04.999", "2026-01-01T00:00:05"),
        ("0 */5 * * * *", "2026-01-01T00:57:30", "2026-01-01T01:00:00"),
        ("*/5 * * * *", "2026-01-01T00:57:30", "2026-01-01T01:00:00"),
        ("0 30 9 * * mon-fri", "2026-01-02T09:30:00", "2026-01-05T09:30:00"),
        ("0 0 0 * * 7", "2026-01-01T00:00:00", "2026-01-04T00:00:00"),
        ("0 0 0 * * Sunday", "2026-01-01T00:00:00", "2026-01-04T00:00:00"),
        ("0 0 0 1 jan,July *", "2026-01-01T00:00:00", "2026-07-01T00:00:00"),
        ("0 0 0 29 2 *", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("15/20 * * * * *", "2026-01-01T00:00:36", "2026-01-01T00:00:55"),
        ("0 0 10-14/2 * * *", "2026-01-01T10:00:00", "2026-01-01T12:00:00"),
        ("59 59 23 31 12 *", "2026-12-31T23:59:59", "2027-12-31T23:59:59"),
        ("0 0 0 13 * 5", "2026-01-01T00:00:00", "2026-02-13T00:00:00"),
        ("00:00:30", "2026-01-01T00:00:01", "2026-01-01T00:00:31"),
        ("1.00:00:00", "2026-01-01T00:00:01", "2026-01-02T00:00:01"),
    ],
)
def test_the_next_occurrence(schedule: str, moment: str, expected: str) -> None:
    assert ncrontab.parse(schedule).next_after(at(moment)) == at(expected)


@pytest.mark.parametrize(
    "text",
    [
        *("", "* * *", "* * * * * * *", "60 * * * * *", "* * 24 * * *", "* * * 0 * *"),
        *("* * * * 13 *", "* * * * * 8", "5-2 * * * * *", "*/0 * * * * *", "a * * * * *"),
        *("* * * * foo *", "1- * * * * *", "00:00:00", "-1 * * * * *", ", * * * * *"),
    ],
)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ncrontab.parse(text)


def test_a_schedule_that_never_fires_says_so() -> None:
    with pytest.raises(ValueError, match="never fires"):
        ncrontab.parse("0 0 0 30 2 *").next_after(at("2026-01-01T00:00:00"))
