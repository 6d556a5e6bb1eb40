"""What grows with a person's conversations: a page after a loss, and a sync with nothing new.

Conversations are put straight into the store, since making ten thousand through the app takes an
hour; then Redis is emptied. They are as old as somebody has them who meets with thirty a day, ten
thousand over four years, and each membership says of its conversation's activity what the app makes
it say: a moment up to a week before. Counts are taken over `GET /dev/metrics`, less what the idle
stack costs in the same time; the rest of a rebuild goes on behind the first page, so it counts for
what is measured next.
"""

import asyncio
import time
import uuid
from typing import Any, Final

from bench import machine
from tests.reliability.stack_probe import container, redis
from tests.stack import Stack

COUNTS: Final = (20, 1_000, 5_000, 10_000)
_WRITERS: Final = 16
_SYNCS: Final = 50
_QUIET_S: Final = 2.0
_WAIT_S: Final = 600.0
_HOUR_MS: Final = 3_600_000
_WEEK_H: Final = 7 * 24

type Json = dict[str, Any]


async def measure(stack: Stack, counts: tuple[int, ...] = COUNTS) -> Json:
    """Return, for each count of conversations, what pages and syncs cost."""
    people = {count: f"person-of-{count}" for count in counts}
    tokens = {count: await stack.token(name) for count, name in people.items()}
    for count, name in people.items():
        await _seed(stack, name, count)
    await _quiet(stack)
    async with redis(stack) as client:
        await client.flushall()
    return {str(count): await _measured(stack, tokens[count]) for count in counts}


async def _measured(stack: Stack, token: str) -> Json:
    first = await _cost(stack, lambda: _page(stack, token), 1)
    again = await _cost(stack, lambda: _page(stack, token), _SYNCS)
    cursor = await _level(stack, token)

    async def nothing_new() -> None:
        assert not (await _sync(stack, token, cursor))["items"]

    return {
        "pageAfterLoss": first,
        "page": again,
        "syncNothingNew": await _cost(stack, nothing_new, _SYNCS),
    }


async def _level(stack: Stack, token: str) -> str:
    """Return a cursor after which nothing was touched for a while."""
    cursor, deadline = "now", time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        found = await _sync(stack, token, cursor)
        if cursor != "now" and not found["items"] and not found["more"]:
            return cursor
        cursor = found["cursor"]
        await asyncio.sleep(_QUIET_S)
    raise AssertionError("touches never end")


async def _page(stack: Stack, token: str) -> None:
    reply = await stack.call("GET", "/api/conversations?limit=20", token=token)
    assert reply.status == 200, reply.body
    assert len(reply.json["items"]) == 20


async def _sync(stack: Stack, token: str, since: str) -> Json:
    reply = await stack.call("POST", "/api/sync", {"since": since}, token=token)
    assert reply.status == 200, reply.body
    found: Json = reply.json
    assert "reset" not in found
    return found


async def _cost(stack: Stack, call: Any, times: int) -> Json:  # noqa: ANN401
    idle = await _counted(stack, asyncio.sleep(_QUIET_S), _QUIET_S)
    begun = time.monotonic()

    async def run() -> None:
        for _ in range(times):
            await call()

    spent = await _counted(stack, run(), 1.0)
    seconds = time.monotonic() - begun
    costs = {name: (spent[name] - idle[name] * seconds) / times for name in spent}
    return {"ms": round(seconds / times * 1000, 1)} | {
        name: round(max(0.0, cost), 2) for name, cost in costs.items()
    }


async def _counted(stack: Stack, work: Any, per: float) -> dict[str, float]:  # noqa: ANN401
    before = await _counters(stack)
    await work
    after = await _counters(stack)
    return {name: (after[name] - before[name]) / per for name in after}


async def _counters(stack: Stack) -> dict[str, float]:
    metrics, usage = await stack.metrics(), machine.usage(await stack.processes())
    workers = [one["cpuSeconds"] for name, one in usage.items() if name.startswith("worker")]
    return {
        "cosmosRequests": metrics["cosmos"]["requests"],
        "requestUnits": metrics["cosmos"]["requestUnits"],
        "redisRoundTrips": metrics["redis"]["roundTrips"],
        "redisCommands": metrics["redis"]["commands"],
        "workerCpuMs": sum(workers) * 1000,
    }


async def _seed(stack: Stack, name: str, count: int) -> None:
    now, slots = int(time.time() * 1000), asyncio.Semaphore(_WRITERS)
    async with (
        container(stack, "conversations") as conversations,
        container(stack, "memberships") as memberships,
    ):

        async def one(number: int) -> None:
            identifier = "g-" + uuid.uuid4().hex
            at = now - round(_HOUR_MS * (0.8 * number + number**2 / 3000))
            members = [
                {
                    "userId": user,
                    "role": "owner",
                    "joinedAt": at,
                    "historyFrom": 1,
                    "mutedUntil": None,
                }
                for user in (name, f"other-{number % 50}")
            ]
            item: Json = {"id": identifier, "kind": "group", "title": "", "members": members}
            item |= {"createdAt": at, "version": 1, "blockedBy": [], "left": []}
            active_from = at - _HOUR_MS * (number * 37 % _WEEK_H)
            item |= {"activeFrom": active_from}
            membership = {"id": identifier, "userId": name, "joinedAt": active_from}
            async with slots:
                await conversations.upsert_item(item)
                await memberships.upsert_item(membership | {"activeFrom": active_from})

        await asyncio.gather(*map(one, range(count)))


async def _quiet(stack: Stack) -> None:
    """Wait until the change feed has seen to all that was put."""
    deadline, seen = time.monotonic() + _WAIT_S, -1
    while time.monotonic() < deadline:
        functions = (await stack.metrics())["functions"]
        now = functions.get("reconcile_memberships", {}).get("invocations", 0)
        if now == seen:
            return
        seen = now
        await asyncio.sleep(3 * _QUIET_S)
