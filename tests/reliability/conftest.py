"""A stack for the tests that break it one service at a time, and people to use it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.integration.app.people import World, world_on
from tests.reliability.plan import SETTINGS
from tests.stack import Stack, running_stack


@pytest.fixture(scope="session")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a stack that is only for being broken; each test leaves it whole."""
    with running_stack(tmp_path_factory.mktemp("broken"), SETTINGS) as started:
        yield started


@pytest.fixture(scope="session")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Give a stack of two workers, for being broken as well."""
    settings = {**SETTINGS, "CHAT_WORKERS": "2", "CHAT_BUCKET_SIZE": "5"}
    with running_stack(tmp_path_factory.mktemp("two"), settings) as started:
        yield started


@pytest.fixture
async def two(two_workers: Stack) -> AsyncIterator[World]:
    """Give people on the stack of two workers, and take every fault back afterwards."""
    async with world_on(two_workers) as made:
        yield made
        await two_workers.call("DELETE", "/dev/faults")
    await two_workers.healthy()


@pytest.fixture
async def world(broken: Stack) -> AsyncIterator[World]:
    """Give people on that stack, and take every fault back afterwards."""
    async with world_on(broken) as made:
        yield made
        await broken.call("DELETE", "/dev/faults")
    await broken.healthy()
