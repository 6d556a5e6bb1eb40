"""Token buckets: how often a user may do something."""

import re
from dataclasses import dataclass
from typing import Self

_SPEC = re.compile(r"(\d{1,6})/(s|min|day):(\d{1,6})")
_SECONDS = {"s": 1, "min": 60, "day": 86_400}


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket that holds *burst* tokens and gains *per_second* of them.

    Written `20/s:200`, `30/min:30` or `200/day:200` in settings.
    """

    per_second: float
    burst: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the limit that *text* describes.

        Raises:
            ValueError: *text* is not `<count>/<s|min|day>:<burst>` with both numbers at least 1.
        """
        match = _SPEC.fullmatch(text)
        if not match or int(match[1]) < 1 or int(match[3]) < 1:
            raise ValueError("a limit is written like 20/s:200, 30/min:30 or 200/day:200")
        return cls(per_second=int(match[1]) / _SECONDS[match[2]], burst=int(match[3]))


@dataclass(frozen=True, slots=True)
class BucketState:
    """The tokens left in a bucket at a moment.

    Args:
        at: Seconds of any steady clock.
    """

    tokens: float
    at: float


def take(limit: Limit, state: BucketState | None, *, now: float) -> tuple[BucketState, int]:
    """Take one token.

    Returns:
        The new state and the milliseconds to wait: 0 when a token was there. A refused call
        takes nothing.
    """
    tokens = _tokens(limit, state, now)
    if tokens >= 1:
        return BucketState(tokens - 1, now), 0
    wait_ms = int((1 - tokens) / limit.per_second * 1000) + 1
    return BucketState(tokens, now), wait_ms


def charge(limit: Limit, state: BucketState | None, *, now: float) -> BucketState:
    """Return the bucket without a token that was given out elsewhere, even if it had none left."""
    return BucketState(_tokens(limit, state, now) - 1, now)


def _tokens(limit: Limit, state: BucketState | None, now: float) -> float:
    if state is None:
        return float(limit.burst)
    gained = max(0.0, now - state.at) * limit.per_second
    return min(float(limit.burst), state.tokens + gained)
