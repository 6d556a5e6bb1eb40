"""Which trace a piece of work belongs to: W3 trace context, carried by a context variable.

A trace begins at the edge, with the caller's `traceparent` or one made here. It is stored with the
message, goes on into the queue, and stands at the end of every line of the log, so that one message
can be followed from send to read: docs/operations.md#following-one-message.
Source: W3C Trace Context, section 3.2, the header's version 00.
"""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, override

_TRACEPARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_NOT_SAMPLED: Final = "00"

_current: ContextVar[str] = ContextVar("traceparent", default="")


def begin(given: object = None) -> None:
    """Let what follows in this invocation belong to the trace *given*, or to a new one.

    Args:
        given: A `traceparent` from outside; whatever is none counts as absent.
    """
    _current.set(_valid(given) or _of_the_runtime() or _made())


def adopt(given: object) -> None:
    """Go over to the trace *given*, if it is one."""
    traceparent = _valid(given)
    if traceparent:
        _current.set(traceparent)


@contextmanager
def within(traceparent: str) -> Iterator[None]:
    """Let what happens inside the `with` block belong to the trace *traceparent*, if it is one."""
    token = _current.set(_valid(traceparent) or _current.get())
    try:
        yield
    finally:
        _current.reset(token)


def traceparent() -> str:
    """Return the current trace as a `traceparent`; empty outside of any."""
    return _current.get()


class TracedRecord(logging.LogRecord):
    """A line of the log that says which trace it belongs to, whoever formats it."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # handed through as they came
        self.trace = _current.get()[3:35]

    @override
    def getMessage(self) -> str:
        text = super().getMessage()
        return f"{text} trace={self.trace}" if self.trace else text


def mark_logs() -> None:
    """Let every line that is logged from now on end in `trace=<id>`, while a trace is on."""
    logging.setLogRecordFactory(TracedRecord)


def _valid(given: object) -> str:
    return given if isinstance(given, str) and _TRACEPARENT.fullmatch(given) else ""


def _of_the_runtime() -> str:
    # With PYTHON_ENABLE_OPENTELEMETRY the runtime has loaded the library and attached the host's
    # own context; without it there is nothing to import for its sake.
    library = sys.modules.get("opentelemetry.trace")
    if library is None:
        return ""
    context = library.get_current_span().get_span_context()
    return _valid(f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}")


def _made() -> str:
    chance = os.urandom(24).hex()
    return f"00-{chance[:32]}-{chance[32:]}-{_NOT_SAMPLED}"
