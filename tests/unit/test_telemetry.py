"""A trace is taken from the caller or made, stays with its own work, and marks the log."""

import asyncio
import logging
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from shared import telemetry

GIVEN = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"


def test_a_callers_trace_goes_on() -> None:
    telemetry.begin(GIVEN)

    assert telemetry.traceparent() == GIVEN


@pytest.mark.parametrize(
    "given",
    [
        None,
        7,
        "",
        GIVEN.upper(),
        GIVEN + "\n",
        "01" + GIVEN[2:],
        "00-" + "0" * 32 + GIVEN[35:],
        GIVEN[:36] + "0" * 16 + "-01",
    ],
)
def test_what_is_no_trace_is_replaced_by_a_new_one(given: object) -> None:
    telemetry.begin(given)
    first = telemetry.traceparent()
    telemetry.begin(given)

    assert first != telemetry.traceparent() != given
    telemetry.begin(first)
    assert telemetry.traceparent() == first  # what is made is valid itself


def test_a_trace_is_gone_over_to_only_if_it_is_one() -> None:
    telemetry.begin()
    own = telemetry.traceparent()

    telemetry.adopt("nonsense")
    kept = telemetry.traceparent()
    telemetry.adopt(GIVEN)

    assert kept == own
    assert telemetry.traceparent() == GIVEN


async def test_traces_of_invocations_that_run_together_do_not_mix() -> None:
    async def invocation() -> bool:
        telemetry.begin()
        own = telemetry.traceparent()
        await asyncio.sleep(0)
        return telemetry.traceparent() == own

    tasks = [asyncio.create_task(invocation()) for _ in range(3)]

    assert await asyncio.gather(*tasks) == [True] * 3


def test_work_within_a_trace_ends_with_it() -> None:
    telemetry.begin()
    own = telemetry.traceparent()

    with telemetry.within(GIVEN):
        inside = telemetry.traceparent()
    with telemetry.within(""):
        unknown = telemetry.traceparent()

    assert (inside, unknown, telemetry.traceparent()) == (GIVEN, own, own)


def test_a_line_of_the_log_ends_in_its_trace() -> None:
    telemetry.begin(GIVEN)

    record = telemetry.TracedRecord("parley", logging.INFO, "f", 1, "sent %d", (3,), None)
    telemetry.begin()

    assert record.getMessage() == "sent 3 trace=" + "ab" * 16


def test_the_runtimes_own_trace_is_taken_when_it_keeps_one(monkeypatch: Any) -> None:
    context = SimpleNamespace(trace_id=0xAB, span_id=0xCD, trace_flags=1)
    span = SimpleNamespace(get_span_context=lambda: context)
    library = SimpleNamespace(get_current_span=lambda: span)
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", library)

    telemetry.begin()

    assert telemetry.traceparent() == "00-" + "ab".zfill(32) + "-" + "cd".zfill(16) + "-01"
