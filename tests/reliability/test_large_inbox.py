"""Somebody with very many conversations, whose inbox Redis has lost: all of them come back.

They are written into the store past the app, as they lie there after years: making them by the API
would take minutes and show nothing more. A reconciliation takes 200 in a step, so this is three
steps; tests/integration/services has a thousand in memory, and `make soak` five thousand.
"""

import asyncio

import pytest

from tests.integration.app.people import World
from tests.reliability.many import furnish, patiently, whole_inbox, whole_sync
from tests.reliability.stack_probe import redis

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(300)]

COUNT = 500
_WITHIN_S = 90.0  # for each page, on a machine that does much else besides


async def test_a_large_inbox_comes_back_in_pages_after_redis_lost_it(two: World) -> None:
    ann, bob = await two.people("ann", "bob")
    bodies = await furnish(ann, bob, COUNT)
    own = await ann.direct(bob)
    async with redis(two.stack) as client:
        await client.flushall()

    first = await patiently(ann, "GET", "/conversations?limit=20", None, _WITHIN_S)
    # The rest is asked for while a worker dies: what was reconciled by then is kept.
    pages = asyncio.create_task(whole_inbox(ann, _WITHIN_S))
    await two.call("POST", "/dev/processes/worker-1/kill")

    shown = [item["conversation"]["id"] for item in first["items"]]
    assert shown == [own, *list(bodies)[:19]]
    assert await pages == {own: "", **bodies}
    assert await whole_sync(ann, _WITHIN_S) == {id_: one for id_, one in bodies.items() if one}
