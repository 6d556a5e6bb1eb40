"""Fixtures for all tests: one stack that they share, started for the first that asks."""

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.stack import Stack, running_stack
from tests.support import spread

# Some machines set PYTHONDONTWRITEBYTECODE. Then every process that a test starts compiles all it
# imports: the start of a stack takes 19 s of CPU instead of 6.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # noqa: TID251  # for the processes tests start
sys.dont_write_bytecode = False

# Two runs of the same code come to the same verdict: examples follow from the test alone, and how
# long one takes says something about the machine only. `--hypothesis-profile=search` looks further.
_ANY_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("parley", _ANY_MACHINE, derandomize=True)
settings.register_profile("search", _ANY_MACHINE)
settings.load_profile("parley")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give the shared stack, with the settings as shipped.

    Tests use users and conversations of their own, arm no fault without clearing it, and start
    a stack of their own (`running_stack`) to kill, restart or configure one.
    """
    with running_stack(tmp_path_factory.mktemp("stack")) as started:
        yield started


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> spread.Spread:
    """Let tests that share a stack share a process."""
    config.option.loadscopereorder = False  # the order is ours
    return spread.Spread(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # in a process of pytest-xdist
        items[:] = spread.longest_first(items)
