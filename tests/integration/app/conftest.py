"""The stacks the app's tests share: as shipped, with short times and low limits, with few
messages to a bucket.
"""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.integration.app.people import World, world_on
from tests.stack import Stack, running_stack

LEASE_S = 3
NOTIFY_DELAY_S = 2
MESSAGES_BURST = 5
QUOTA_BYTES = 100_000
BUCKET_SIZE = 5

_TUNED = {
    "CHAT_PRESENCE_LEASE_SECONDS": str(LEASE_S),
    "CHAT_HEARTBEAT_SECONDS": "1",
    "CHAT_RECEIPT_FLUSH_SECONDS": "1",
    "CHAT_NOTIFY_DELAY_SECONDS": str(NOTIFY_DELAY_S),
    "CHAT_ATTACHMENTS_SCANNED": "true",
    "CHAT_LIMIT_MESSAGES": f"5/s:{MESSAGES_BURST}",
    "CHAT_UPLOAD_QUOTA_BYTES": str(QUOTA_BYTES),
}


@pytest.fixture
async def world(stack: Stack) -> AsyncIterator[World]:
    """Give people of the test's own on the stack that all tests share."""
    async with world_on(stack) as made:
        yield made


@pytest.fixture(scope="session")
def tuned_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("tuned"), _TUNED) as started:
        yield started


@pytest.fixture
async def tuned(tuned_stack: Stack) -> AsyncIterator[World]:
    """Give people on a stack of short times, low limits and a scanner."""
    async with world_on(tuned_stack) as made:
        yield made


@pytest.fixture(scope="session")
def small_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {"CHAT_BUCKET_SIZE": str(BUCKET_SIZE), "CHAT_WORKERS": "2"}
    with running_stack(tmp_path_factory.mktemp("small"), settings) as started:
        yield started


@pytest.fixture
async def small(small_stack: Stack) -> AsyncIterator[World]:
    """Give people on a stack of two workers and buckets of five messages; it may be killed."""
    async with world_on(small_stack) as made:
        yield made
