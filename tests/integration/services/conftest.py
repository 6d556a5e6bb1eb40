"""Use cases over twins: a loop that never sleeps, a world and a worker for each test."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.integration.services.world import FastLoop, Worker, World


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"fast": FastLoop}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def worker(world: World) -> Worker:
    return world.worker()
