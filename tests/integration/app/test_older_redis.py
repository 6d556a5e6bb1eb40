"""The running stack with a Redis that comes back older, its workers killed with it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from tests.integration.app.people import Person, World
from tests.integration.app.test_restart import insist, say
from tests.reliability.stack_probe import act, put_back, redis, remembered
from tests.stack import Reply

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

AFTERWARDS = 10  # good answers each looker has to see once everything was killed


class Looker:
    """Asks again and again, through everything, and keeps what was answered with 200."""

    def __init__(self, ask: Callable[[], Awaitable[Reply]]) -> None:
        self._ask = ask
        self.seen: list[Any] = []

    async def look(self, until: Callable[[], bool]) -> None:
        while not until():
            try:
                reply = await self._ask()
            except (aiohttp.ClientError, OSError):
                reply = Reply(503, {}, b"")
            if reply.status == 200:
                self.seen.append(reply.json)
            await asyncio.sleep(0.05)


def assert_all_there(answer: Any, quiet: str, new: str) -> None:
    """A sync from the third message of *quiet*: all of it, or it says that it is not complete."""
    items = {item["conversationId"]: item for item in answer["items"]}
    assert set(items) == {quiet, new}
    for place, wanted in ((quiet, list(range(4, 15))), (new, [1])):
        if items[place]["complete"]:
            assert [one["sequence"] for one in items[place]["messages"]] == wanted


async def test_an_older_redis_hides_nothing_at_any_moment(small: World) -> None:
    ann, bob = await small.people("ann", "bob")
    quiet = await ann.direct(bob)
    for number in range(3):
        await say(ann, quiet, f"number {number}")
    await bob.good("GET", "/conversations")
    older = remembered(small.stack)
    for number in range(3, 14):
        await say(ann, quiet, f"number {number}")
    new = await ann.group(bob)
    await say(ann, new, "made since")
    await asyncio.sleep(3)  # the change feed has passed them: nobody brings them again

    syncs = Looker(lambda: bob.call("POST", "/sync", {"positions": {quiet: 3}}))
    inboxes = Looker(lambda: bob.call("GET", "/conversations"))
    await strike_while_looking(small, older, [syncs, inboxes])

    for answer in syncs.seen:
        assert_all_there(answer, quiet, new)
    for answer in inboxes.seen:
        latest = {
            one["conversation"]["id"]: one["conversation"]["latestSequence"]
            for one in answer["items"]
        }
        assert latest == {quiet: 14, new: 1}
    await everyone_goes_on(ann, bob, quiet)


async def strike_while_looking(small: World, older: Any, lookers: list[Looker]) -> None:
    """Put the older Redis back and kill the workers, while the lookers go on asking."""
    wanted: list[int] = []

    def is_enough() -> bool:
        return bool(wanted) and all(len(one.seen) >= wanted[0] for one in lookers)

    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        for looker in lookers:
            group.create_task(looker.look(is_enough))
        async with redis(small.stack) as client:
            before = (await client.info("server"))["run_id"]
        await put_back(small.stack, older)
        for worker in ("worker-1", "worker-2"):
            await act(small.stack, worker, "kill")
        await small.stack.healthy()
        async with redis(small.stack) as client:
            assert (await client.info("server"))["run_id"] != before
        wanted.append(max(len(one.seen) for one in lookers) + AFTERWARDS)


async def everyone_goes_on(ann: Person, bob: Person, place: str) -> None:
    assert (await say(ann, place, "and on"))["sequence"] == 15
    read = await insist(lambda: bob.call("PUT", f"/conversations/{place}/receipt", {"read": 15}))
    assert read.json["read"] == 15
