"""Calls and their tokens: every call takes one of its caller's bucket, also when it is refused.

A call that gets as far as a service takes its token there, in the same round trip to Redis as what
it needs anyway. What is refused earlier (a field of the wrong kind, a conversation that is not
there for the caller) takes it in a round trip of its own, here, and is answered 429 when the bucket
is empty: else an endless row of wrong calls would be free.
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
from shared.ports import Call

_MOST_CALLERS: Final = 10_000
_EVERY_S: Final = 1.0

_open: ContextVar[Call | None] = ContextVar("call", default=None)


def begin() -> None:
    """Forget the call of whatever ran before in this context."""
    _open.set(None)


async def opened(call: Call) -> Call:
    """Return *call*, which this invocation makes: first of all, before its arguments are read.

    Raises:
        RateLimitedError: The caller was refused just now and has to wait still.
    """
    _open.set(call)
    (await chat()).admission.throttle.check(call)
    return call


async def looks_up(call: Call) -> Call:
    """Return *call*, which tells by its answer whether a user exists.

    Each `user_not_found` takes a token of a small bucket of its own. Who has spent that one is
    refused here for a moment, before anybody is looked up: the refusal says nothing then. So trying
    names is slow, and naming users who are there costs nothing.

    Raises:
        RateLimitedError: The caller has asked for too many who are not there.
    """
    (await chat()).admission.throttle.check(await _lookup(call))
    return call


async def settled(error: ChatError) -> ChatError:
    """Return what this invocation's call is refused with, after it has taken its token."""
    call = _open.get()
    for_nothing = (RateLimitedError, UnauthenticatedError, UnavailableError)
    if call is None or isinstance(error, for_nothing):
        return error
    try:
        await (await chat()).admission.charge(call)
        if isinstance(error, UserNotFoundError):
            await (await chat()).admission.admit(await _lookup(call))
    except RateLimitedError as limited:
        limited.client_message_id = error.client_message_id
        return limited
    return error


def news() -> tuple[Effect, ...]:
    """Return what this invocation's call told of its user before it was refused."""
    call = _open.get()
    return call.token.news if call else ()


async def _lookup(call: Call) -> Call:
    return Call(call.user_id, limit=("lookups", (await chat()).settings.limits.lookups))


class RefusalLog:
    """Keeps the lines about refused calls to one for each caller and second.

    Args:
        now: Seconds of a steady clock.
    """

    def __init__(
        self, now: Callable[[], float] = time.monotonic, *, most: int = _MOST_CALLERS
    ) -> None:
        self._now = now
        self._most = most
        self._callers: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def passes(self) -> int | None:
        """Return how many lines were left out since the last one; None to leave this one out.

        It is about the caller of this invocation; all that are nobody's share one line a second.
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
