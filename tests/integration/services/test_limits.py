"""Limits hold whoever calls at once, whether Redis answers or not, and cost nobody else."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.errors import ChatError, RateLimitedError
from shared.domain.ids import ConversationId, UserId
from shared.domain.limits import Limit
from shared.ports import Call
from shared.services.admission.throttle import Throttle
from tests.integration.services.world import Worker, World, post, run, start_pair
from tests.twins.system import SettableClock
from tests.unit.things import ANN, BOB

LIMIT = Limit(per_second=2, burst=5)
STEPS = st.lists(
    st.tuples(
        st.floats(min_value=0, max_value=3),  # seconds that pass first
        st.booleans(),  # whether Redis answers
        st.lists(st.integers(min_value=0, max_value=1), max_size=12),  # a call each, by worker
    ),
    max_size=12,
)


@dataclass(frozen=True, slots=True)
class Served:
    """A call that was let through: when, by which worker, and whether Redis answered."""

    at_s: float
    worker: int
    by_redis: bool


async def called(worker: Worker, conversation_id: ConversationId, user: UserId = ANN) -> bool:
    call = Call(user, limit=("other", LIMIT))
    try:
        await worker.chat.history.list_messages(
            call, conversation_id, before=None, after=None, limit=1
        )
    except RateLimitedError:
        return False
    return True


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_nobody_is_ever_served_more_than_a_bucket_holds(
    steps: list[tuple[float, bool, list[int]]],
) -> None:
    async def check() -> None:
        world = World()
        workers = [world.worker(), world.worker()]
        conversation = (await start_pair(workers[0])).conversation
        served: list[Served] = []
        at_s = 0.0
        for pause_s, answers, calls in steps:
            world.clock.advance(pause_s)
            at_s += round(pause_s * 1000) / 1000
            world.redis_link.down = not answers
            results = await asyncio.gather(*(called(workers[n], conversation.id) for n in calls))
            served += [
                Served(at_s, number, answers)
                for number, let in zip(calls, results, strict=True)
                if let
            ]
            if answers:  # whoever calls beside a flood is served
                receipt, _ = await workers[0].chat.receipts.acknowledge(
                    Call(BOB), conversation.id, delivered=None, read=None
                )
                assert receipt.user_id == BOB

        for number in (0, 1):
            assert_within([one.at_s for one in served if one.worker == number], more=1)
        assert_within([one.at_s for one in served if one.by_redis])

    run(check())


def assert_within(times: list[float], *, more: int = 0) -> None:
    """Check every span of time there is: no more than a burst, and what it gained."""
    for first, begin in enumerate(times):
        for last in range(first, len(times)):
            allowed = LIMIT.burst + more + (times[last] - begin) * LIMIT.per_second
            assert last - first + 1 <= allowed + 0.01


async def test_a_flood_is_refused_without_a_word_to_redis(world: World, worker: Worker) -> None:
    conversation = (await start_pair(worker)).conversation
    throttle = worker.chat.admission.throttle
    while await called(worker, conversation.id):
        pass
    before = sum(world.redis_link.calls.values())

    for _ in range(100):
        with pytest.raises(RateLimitedError) as refused:
            throttle.check(Call(ANN, limit=("other", LIMIT)))
        assert 0 < (refused.value.retry_after_ms or 0) <= 501

    assert sum(world.redis_link.calls.values()) == before
    throttle.check(Call(ANN, limit=("messages", LIMIT)))
    throttle.check(Call(BOB, limit=("other", LIMIT)))
    throttle.check(Call(ANN))
    world.clock.advance(0.51)
    throttle.check(Call(ANN, limit=("other", LIMIT)))
    assert await called(worker, conversation.id)


async def test_what_a_stranger_asks_takes_from_their_bucket(worker: Worker) -> None:
    conversation = (await start_pair(worker)).conversation
    await post(worker, conversation.id, 1)
    admission, stranger = worker.chat.admission, UserId("stranger")

    async def asked() -> str:
        call = Call(stranger, limit=("other", LIMIT))
        try:
            await worker.chat.receipts.acknowledge(call, conversation.id, delivered=None, read=None)
        except ChatError as early:
            try:
                await admission.charge(call)
            except RateLimitedError as error:
                return error.code
            return early.code
        return "served"

    answers = [await asked() for _ in range(7)]

    assert answers == ["not_found"] * LIMIT.burst + ["rate_limited"] * 2


def test_a_worker_remembers_only_so_many_buckets() -> None:
    clock = SettableClock()
    throttle = Throttle(lambda: clock.now().timestamp(), most=2)
    one, two, three = (Call(UserId(name), limit=("other", Limit(1, 1))) for name in "abc")
    for call in (one, two, three):
        throttle.take(call)

    throttle.take(one)
    for call in (one, three):
        with pytest.raises(RateLimitedError):
            throttle.take(call)


def test_a_clock_that_was_set_back_keeps_nobody_out() -> None:
    clock = SettableClock()
    throttle = Throttle(lambda: clock.now().timestamp())
    call = Call(ANN, limit=("other", Limit(per_second=1, burst=1)))
    throttle.follow(call, wait_ms=900)

    clock.advance(-3600)

    throttle.check(call)
    throttle.take(call)
