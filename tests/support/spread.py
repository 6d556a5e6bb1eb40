"""How the tests are spread over the processes of pytest-xdist: what takes longest is begun first.

Each file is one unit of work, which one process takes. Files that share a stack of their own kind
are one unit together, so that the stack is started once. A test that starts a stack for itself
alone is a unit, so that long ones run beside each other.

The groups of pytest-xdist itself, `--dist loadgroup`, do not hold: version 3.8 marks them in a
field that pytest 9.2 no longer has, and so a group is torn apart without a word.
"""

from collections.abc import Iterable

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

_APP = "tests/integration/app"
_FAULTS = "tests/reliability"

# Each test of these starts a stack of its own.
ALONE = (
    f"{_FAULTS}/test_faults.py",
    f"{_FAULTS}/test_mutants.py",
)
# Files whose tests share a stack that others do not need, by the name of its fixture.
TOGETHER = {
    "two_workers": tuple(
        f"{_FAULTS}/test_{name}.py" for name in ("health", "large_inbox", "older_redis", "rights")
    ),
    "broken": tuple(f"{_FAULTS}/test_{name}.py" for name in ("degrading", "poison", "rebuild")),
    "small_stack": tuple(
        f"{_APP}/test_{name}.py"
        for name in ("buckets", "older_redis", "removed_members", "restart", "workers", "privacy")
    ),
    "tuned_stack": tuple(
        f"{_APP}/test_{name}.py"
        for name in ("attachments", "cleared", "limits", "notifications", "presence", "receipts")
    ),
}
# Begun first, in this order; the rest follows as it is collected. By measurement.
LONGEST = (
    *ALONE,
    "tests/integration/test_stack.py",
    *TOGETHER["two_workers"],
    *TOGETHER["broken"],
    *TOGETHER["small_stack"],
    *TOGETHER["tuned_stack"],
    "tests/integration/test_stack_app.py",
    "tests/integration/test_other_app.py",
    "tests/contract/test_servicebus_faults.py",
    "tests/contract/test_servicebus_queue.py",
    "tests/contract/test_servicebus_protocol.py",
    f"{_APP}/test_bad_input.py",
)

_UNIT_OF = {path: name for name, paths in TOGETHER.items() for path in paths}
_RANK = {path: rank for rank, path in enumerate(LONGEST)}


class Spread(LoadScopeScheduling):  # type: ignore[misc]  # untyped package
    """Gives each process one unit of work after another."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)


def unit_of(nodeid: str) -> str:
    """Return the name of the unit of work that a test belongs to."""
    path = _path(nodeid)
    return nodeid if path in ALONE else _UNIT_OF.get(path, path)


def longest_first(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Return the tests in the order in which their units are to be begun."""
    return sorted(items, key=lambda item: _RANK.get(_path(item.nodeid), len(_RANK)))


def _path(nodeid: str) -> str:
    return nodeid.partition("::")[0]
