"""A sign of life that takes longer than its callers can wait."""

import asyncio

import pytest

from shared.adapters.service_bus.probe import LastingProbe
from shared.domain.errors import UnavailableError


class Service:
    """Answers while it is `awake`, counts how often it is asked, and has a clock."""

    def __init__(self) -> None:
        self.awake = asyncio.Event()
        self.refuses = False
        self.asked = 0
        self.now_s = 0.0
        self.probe = LastingProbe(self.answer, lambda: self.now_s)

    async def answer(self) -> None:
        self.asked += 1
        await self.awake.wait()
        if self.refuses:
            raise UnavailableError("no")

    async def is_alive_soon(self) -> bool:
        """Ask as `health` does, which gives up early."""
        check = asyncio.create_task(self.probe.check())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if check.done():
            return check.exception() is None
        check.cancel()
        await asyncio.wait([check])
        return False


async def test_an_attempt_outlives_its_callers_and_there_is_one_at_a_time() -> None:
    service = Service()

    first, second = await service.is_alive_soon(), await service.is_alive_soon()
    service.awake.set()
    await service.probe.check()

    assert (first, second, service.asked) == (False, False, 1)


async def test_an_answer_counts_for_five_seconds() -> None:
    service = Service()
    service.awake.set()
    await service.probe.check()
    service.awake.clear()

    service.now_s = 4.9
    await service.probe.check()
    service.now_s = 5.1

    assert not await service.is_alive_soon()
    assert service.asked == 2
    await service.probe.aclose()


async def test_a_refusal_is_told_and_the_next_caller_asks_again() -> None:
    service = Service()
    service.awake.set()
    service.refuses = True

    for _ in range(2):
        with pytest.raises(UnavailableError):
            await service.probe.check()

    assert service.asked == 2


async def test_what_is_under_way_ends_with_the_probe() -> None:
    service = Service()
    check = asyncio.create_task(service.probe.check())
    await asyncio.sleep(0)

    await service.probe.aclose()

    with pytest.raises(asyncio.CancelledError):
        await check
