"""Calls and their tokens: every call takes a token of its caller's bucket, also a refused one.

A call that gets as far as a service takes its token there, in the round trip to Redis that the
service makes anyway. A call that is refused earlier (a field of the wrong kind, a conversation that
does not exist for the caller) takes its token here, in a round trip of its own, and is answered 429
when the bucket is empty. Otherwise an endless row of wrong calls would be free.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from shared.bootstrap import chat
from shared.domain.errors import (
    ChatError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
    UserNotFoundError,
)
from shared.domain.events import Effect
from shared.domain.ids import ConnectionId, UserId
from shared.domain.limits import Limit
from shared.ports import Call

_MOST_CALLERS: Final = 10_000
_EVERY_S: Final = 1.0

_open: ContextVar[Call | None] = ContextVar("call", default=None)


def begin() -> None:
    """Forget the call of an earlier invocation in this context."""
    _open.set(None)


async def call_of(user_id: UserId, limit: str, connection_id: ConnectionId | None = None) -> Call:
    """Return the call that this invocation makes; its arguments are to be read after this.

    Args:
        limit: The kind of bucket that the call takes a token of: a field of `Limits`.

    Raises:
        RateLimitedError: The caller was refused a moment ago and still has to wait.
    """
    bucket: Limit = getattr((await chat()).settings.limits, limit)
    call = Call(user_id, connection_id, (limit, bucket))
    _open.set(call)
    (await chat()).admission.throttle.check(call)
    return call


async def looks_up(call: Call) -> Call:
    """Return *call*, whose answer tells whether a user exists.

    Each `user_not_found` takes a token of a small bucket of its own. A caller whose bucket is empty
    is refused here for a moment, before any user is looked up, so that the refusal tells nothing.
    Trying names is slow in this way, and naming users who exist costs nothing.

    Raises:
        RateLimitedError: The caller has named too many users who do not exist.
    """
    (await chat()).admission.throttle.check(await _lookup(call))
    return call


async def settled(error: ChatError) -> ChatError:
    """Return the refusal of this invocation's call, after the call has taken its token."""
    call = _open.get()
    free = (RateLimitedError, UnauthenticatedError, UnavailableError)
    if call is None or isinstance(error, free):
        return error
    try:
        await (await chat()).admission.charge(call)
        if isinstance(error, UserNotFoundError):
            await (await chat()).admission.admit(await _lookup(call))
    except RateLimitedError as limited:
        limited.client_message_id = error.client_message_id
        return limited
    return error


def refused_pushes() -> tuple[Effect, ...]:
    """Return the pushes that this invocation's call had caused before it was refused."""
    call = _open.get()
    return call.token.effects if call else ()


async def _lookup(call: Call) -> Call:
    return Call(call.user_id, limit=("lookups", (await chat()).settings.limits.lookups))


class RefusalLog:
    """Limits the log to one line about refused calls for each caller and second.

    Args:
        now: Seconds of a steady clock.
        most: Callers to remember.
    """

    def __init__(
        self, now: Callable[[], float] = time.monotonic, *, most: int = _MOST_CALLERS
    ) -> None:
        self._now = now
        self._most = most
        self._callers: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def passes(self) -> int | None:
        """Return how many lines were left out since the last one; None to leave this one out.

        The line is about the caller of this invocation. Calls without a caller share one line.
        """
        call = _open.get()
        caller = call.user_id if call else ""
        last, skipped = self._callers.get(caller, (-_EVERY_S, 0))
        is_due = self._now() - last >= _EVERY_S
        self._callers[caller] = (self._now(), 0) if is_due else (last, skipped + 1)
        self._callers.move_to_end(caller)
        if len(self._callers) > self._most:
            self._callers.popitem(last=False)
        return skipped if is_due else None


refusals = RefusalLog()
