"""A short run of `make attack`: nothing is found, and the stack is as it was."""

import pytest

from tests.attack import report
from tests.attack.suite import SHORT, attacks
from tests.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow]


async def test_a_short_attack_finds_nothing(stack: Stack) -> None:
    results = [result async for result in attacks(stack, SHORT)]

    assert all(result.tries for result in results)
    assert all(result.held for result in results), report.text_of(results)
