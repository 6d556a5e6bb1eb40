"""Token buckets: never more than the burst at once, never more than the rate for long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.limits import BucketState, Limit, take


@pytest.mark.parametrize(
    ("text", "limit"),
    [("20/s:200", Limit(20, 200)), ("30/min:30", Limit(0.5, 30)), ("1/min:1", Limit(1 / 60, 1))],
)
def test_a_limit_is_read_from_its_spelling(text: str, limit: Limit) -> None:
    assert Limit.parse(text) == limit


@pytest.mark.parametrize(
    "text", ["", "20", "20/s", "20/h:200", "0/s:1", "1/s:0", "-1/s:1", "1.5/s:2", "9999999/s:1"]
)
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="20/s:200"):
        Limit.parse(text)


@given(
    st.sampled_from(["20/s:200", "30/min:30", "1/min:1", "50/s:5"]).map(Limit.parse),
    st.lists(st.floats(0, 5, allow_nan=False), min_size=1, max_size=60),
)
def test_no_span_of_time_lets_more_through_than_burst_and_rate(
    limit: Limit, pauses: list[float]
) -> None:
    state: BucketState | None = None
    now, passed_at = 0.0, []
    for pause in pauses:
        now += pause
        state, wait_ms = take(limit, state, now=now)
        if not wait_ms:
            passed_at.append(now)

    for first, begin in enumerate(passed_at):
        for last in range(first, len(passed_at)):
            allowed = limit.burst + (passed_at[last] - begin) * limit.per_second
            assert last - first + 1 <= allowed + 1e-6


@given(st.integers(1, 50), st.integers(1, 20), st.integers(0, 30))
def test_who_waits_as_told_gets_through(rate: int, burst: int, calls: int) -> None:
    limit = Limit(rate, burst)
    state: BucketState | None = None
    wait_ms = 0
    for _ in range(calls):
        state, wait_ms = take(limit, state, now=0.0)

    _, again_ms = take(limit, state, now=wait_ms / 1000)

    assert again_ms == 0 or wait_ms == 0


def test_a_refused_call_takes_nothing() -> None:
    limit = Limit(per_second=1, burst=1)
    state, _ = take(limit, None, now=0.0)

    for _ in range(5):
        state, wait_ms = take(limit, state, now=0.5)
        assert wait_ms == 501

    assert take(limit, state, now=1.1)[1] == 0


def test_a_clock_that_goes_back_gives_and_takes_nothing() -> None:
    limit = Limit(per_second=1, burst=2)
    state, _ = take(limit, None, now=100.0)

    after, wait_ms = take(limit, state, now=50.0)

    assert (after.tokens, wait_ms) == (0, 0)
