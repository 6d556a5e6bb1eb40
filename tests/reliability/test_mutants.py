"""The checker finds what it is there to find: each broken copy of the project is caught."""

from pathlib import Path

import pytest

from tests.reliability.mutants import MUTANTS, copy_project
from tests.reliability.plan import Plan
from tests.reliability.runs import run_alone

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(300)]

SEED = 7


@pytest.mark.parametrize("name", MUTANTS)
async def test_a_copy_that_is_caught(name: str, tmp_path: Path) -> None:
    mutant = MUTANTS[name]
    plan = Plan(
        SEED,
        mutant.deeds,
        seconds=mutant.seconds,
        rate=15,
        patience_s=3,  # short: it will not settle
        beside=mutant.beside,
        rights=mutant.beside,
        erases=mutant.beside,
    )
    settings = {
        "CHAT_BUCKET_SIZE": str(mutant.bucket_size),
        "CHAT_NOTIFY_DELAY_SECONDS": str(mutant.notify_delay_s),
    }
    root = copy_project(tmp_path / "project", mutant.changes)

    outcome = await run_alone(tmp_path / "data", plan, settings, root=root)

    found = {violation.rule for violation in outcome.violations}
    assert found & mutant.rules, outcome.told()
    assert mutant.each <= found, outcome.told()
