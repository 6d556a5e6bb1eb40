"""One app over twins for each test, in the worker's place."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest

from shared import bootstrap
from tests.integration.handlers.calls import App, principals
from tests.integration.services.world import FastLoop, World
from tests.twins.system import MemoryVerifier
from tests.unit.things import ANN, BOB, CAT, DAN


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"fast": FastLoop}


@pytest.fixture
def app() -> Iterator[App]:
    world = World(settings={"CHAT_PUSH_HOSTS": "push.example"})
    worker = world.worker()
    verifier = MemoryVerifier(principals(ANN, BOB, CAT, DAN, "site", "new"), frozenset({"site"}))
    chat = replace(worker.chat, verifier=verifier, push_public_key="public")
    bootstrap.use(chat)
    yield App(world, replace(worker, chat=chat))
    bootstrap.use(None)
