"""The epoch: whether live state has lost anything, asked of both ends, and of an older Redis."""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis.asyncio as redis

from local.redis.command import redis_command
from shared.adapters.redis.client import RedisClient
from shared.adapters.redis.live_state import RedisLiveState
from shared.domain.ids import ConversationId
from shared.domain.live import Epoch
from shared.ports import Call, InboxEntry
from tests.contract.ports.ends import LEASE_S, LiveEnd, wait_until_listening
from tests.support.ports import free_port
from tests.unit.things import BOB, GROUP, NOON, group, message, receipt


async def test_an_epoch_lasts_while_nothing_is_lost(end: LiveEnd) -> None:
    first = await end.live.epoch()

    assert first
    assert await end.live.epoch() == first


async def test_whoever_asks_first_of_an_empty_live_state_begins_the_epoch_of_all(
    end: LiveEnd,
) -> None:
    told = await asyncio.gather(*(end.live.epoch() for _ in range(20)))

    assert len(set(told)) == 1


async def test_losing_everything_begins_a_new_epoch(end: LiveEnd) -> None:
    before = await end.live.epoch()

    await end.lose()

    assert await end.live.epoch() != before


async def test_what_is_of_an_earlier_epoch_is_not_known_and_not_lost(end: LiveEnd) -> None:
    await end.seed(group(), message(3), [receipt(BOB, delivered=3, read=2, at=NOON)])
    await end.fill_inbox(BOB, [InboxEntry(GROUP, 5)])

    await end.renew()

    ((head, receipts),) = await end.live.receipts([GROUP])
    (summary,) = await end.live.summaries(BOB, [GROUP])
    assert not head.is_cached
    assert not summary.head.is_cached
    assert not (await end.live.head(GROUP)).is_cached
    assert not (await end.live.enter_conversation(Call(BOB), GROUP))[1].is_cached
    assert await end.live.inbox_page(BOB, limit=9, after=None) is None
    assert receipts[BOB] == receipt(BOB, delivered=3, read=2, at=NOON)


async def test_what_the_store_confirms_is_known_again_merged_by_maximum(end: LiveEnd) -> None:
    await end.seed(group(), message(3), [receipt(BOB, delivered=3, read=2, at=NOON)])
    await end.renew()

    await end.seed(group(), message(7), [receipt(BOB, delivered=5, read=1, at=NOON)])

    ((head, receipts),) = await end.live.receipts([GROUP])
    assert (head.is_cached, head.sequence) == (True, 7)
    assert (receipts[BOB].delivered, receipts[BOB].read) == (5, 2)


async def test_an_inbox_of_an_earlier_epoch_is_filled_anew(end: LiveEnd) -> None:
    left, stayed, joined = (InboxEntry(ConversationId(f"g-{n:032d}"), n) for n in (1, 2, 3))
    await end.fill_inbox(BOB, [left, stayed])
    await end.renew()

    epoch = await end.live.epoch()
    await end.live.begin_inbox(BOB, epoch=epoch)
    await end.live.fill_inbox(BOB, [stayed], epoch=epoch, complete=False)
    begun = await end.live.inbox_page(BOB, limit=9, after=None)
    await end.live.put_inbox([BOB], joined)  # while the store is read once more
    await end.live.fill_inbox(BOB, [stayed], epoch=epoch, complete=True)

    assert begun is None
    assert await end.live.inbox_page(BOB, limit=9, after=None) == [joined, stayed]


async def test_what_was_read_before_a_new_epoch_confirms_nothing_in_it(end: LiveEnd) -> None:
    before = await end.live.epoch()
    await end.renew()

    await end.live.seed(group(), message(3), (), epoch=before)
    await end.live.fill_inbox(BOB, [], epoch=before, complete=True)
    await end.live.seed(group(), message(3), ())  # nor does what is merged only

    assert not (await end.live.receipts([GROUP]))[0][0].is_cached
    assert await end.live.inbox_page(BOB, limit=9, after=None) is None


class Server:
    """A redis-server of our own, whose files can be put back."""

    def __init__(self, directory: Path) -> None:
        self.files = directory / "redis"
        self._older = directory / "older"
        self.port = free_port()
        self._process = self._start()

    def copy_files(self) -> None:
        shutil.copytree(self.files, self._older)

    def restart(self, *, older: bool = False) -> None:
        self.kill()
        if older:
            shutil.rmtree(self.files)
            shutil.copytree(self._older, self.files)
        self._process = self._start()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(redis_command(self.port, self.files), stdout=subprocess.DEVNULL)
        wait_until_listening(self.port)
        return process


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path)
    yield running
    running.kill()


@contextlib.asynccontextmanager
async def worker(server: Server) -> AsyncIterator[RedisLiveState]:
    """Give the live state of a process that remembers nothing."""
    async with redis.Redis(port=server.port, protocol=2) as connection:
        client = RedisClient(lambda: connection)
        yield RedisLiveState(client, lease_s=LEASE_S)


async def epoch_seen_by_a_new_worker(server: Server) -> Epoch:
    async with worker(server) as live:
        return await live.epoch()


@pytest.mark.stack
async def test_a_redis_of_older_files_begins_a_new_epoch_though_nobody_remembers(
    server: Server,
) -> None:
    first = await epoch_seen_by_a_new_worker(server)
    server.copy_files()
    again = await epoch_seen_by_a_new_worker(server)

    server.restart(older=True)
    second = await epoch_seen_by_a_new_worker(server)
    server.restart(older=True)
    third = await epoch_seen_by_a_new_worker(server)

    assert first == again
    assert len({first, second, third}) == 3
    assert await epoch_seen_by_a_new_worker(server) == third
