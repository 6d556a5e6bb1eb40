"""What one worker remembers of token buckets, so that limits hold without live state too."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shared.domain.errors import RateLimitedError
from shared.domain.ids import UserId
from shared.domain.limits import BucketState, Limit, charge, take
from shared.ports import Call

_MOST_BUCKETS: Final = 20_000
_OVERDRAWN: Final = -1.0  # tokens

type _Key = tuple[UserId, str]


@dataclass(slots=True)
class _Bucket:
    state: BucketState | None = None
    refused_until: float = 0.0

    def refuse(self, now: float, wait_ms: int) -> None:
        # Of several refusals, the one that ends first counts: the bucket has a token then.
        until = now + wait_ms / 1000
        self.refused_until = min(until, self.refused_until) if self.refused_until > now else until


class Throttle:
    """A copy of the buckets of recent callers, in this process.

    While live state answers, its buckets decide and this copy follows: it is charged for each
    admitted call. While live state is away, the copy decides. So a worker serves a user at most
    `burst + rate x time`, and no second burst, however often live state is lost and comes back
    empty: a call that live state admits is still refused when the copy is overdrawn by more than
    one call. (It may be overdrawn by one, because the way to live state takes some calls longer
    than others.) Proved for any order of calls and outages by a property in
    tests/integration/services/test_limits.py.

    A refusal is remembered until its time is up. Until then, calls are refused at once, before
    their arguments are read and without asking live state. So a flood costs others nothing.

    When there are too many buckets, the least recently used one is forgotten, and then counts as
    full. To make a worker forget a bucket before it has refilled, more users than it keeps buckets
    for would have to call within that time.

    Args:
        now: Seconds of a clock.
    """

    def __init__(self, now: Callable[[], float], *, most: int = _MOST_BUCKETS) -> None:
        self._now = now
        self._most = most
        self._buckets: OrderedDict[_Key, _Bucket] = OrderedDict()

    def check(self, call: Call) -> None:
        """Refuse a call while its bucket waits for a token after a refusal.

        Raises:
            RateLimitedError: The bucket has no token yet.
        """
        if call.limit is None:
            return
        bucket = self._buckets.get((call.user_id, call.limit[0]))
        left_s = bucket.refused_until - self._now() if bucket else 0.0
        if 0 < left_s <= _longest_s(call.limit[1]):
            raise refusal(int(left_s * 1000) + 1)

    def follow(self, call: Call, *, wait_ms: int) -> int:
        """Follow what live state said of a call: the call took a token, or has to wait.

        Returns:
            How many milliseconds the call has to wait; 0 admits it.
        """
        if call.limit is None:
            return wait_ms
        limit, bucket = call.limit[1], self._bucket(call.user_id, call.limit[0])
        if not wait_ms:
            charged = charge(limit, bucket.state, now=self._now())
            if charged.tokens > _OVERDRAWN:
                bucket.state = charged
                return 0
            wait_ms = int((_OVERDRAWN - charged.tokens) / limit.per_second * 1000) + 1
        bucket.refuse(self._now(), wait_ms)
        return wait_ms

    def take(self, call: Call) -> None:
        """Take a token here, because live state does not answer.

        Raises:
            RateLimitedError: The bucket is empty.
        """
        if call.limit is None:
            return
        bucket = self._bucket(call.user_id, call.limit[0])
        bucket.state, wait_ms = take(call.limit[1], bucket.state, now=self._now())
        if wait_ms:
            bucket.refuse(self._now(), wait_ms)
            raise refusal(wait_ms)

    def _bucket(self, user_id: UserId, kind: str) -> _Bucket:
        bucket = self._buckets.setdefault((user_id, kind), _Bucket())
        self._buckets.move_to_end((user_id, kind))
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return bucket


def refusal(wait_ms: int) -> RateLimitedError:
    """Return the refusal of a call that has to wait."""
    return RateLimitedError("too many calls; wait a little", retry_after_ms=wait_ms)


def _longest_s(limit: Limit) -> float:
    # Nobody waits longer than for one token. A clock that was set back must not add to the wait.
    return 1 / limit.per_second + 1
