"""The checker finds what it is there to find: each broken copy of the project is caught."""

from pathlib import Path

import pytest

from tests.reliability.mutants import MUTANTS, Mutant, copy_project
from tests.reliability.plan import Plan
from tests.reliability.runs import run_alone

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(300)]

SEED = 7
_RUNS = 3  # at most: on a slow machine less is said and tried in one, so less can be found


@pytest.mark.parametrize("name", MUTANTS)
async def test_a_copy_that_is_caught(name: str, tmp_path: Path) -> None:
    mutant = MUTANTS[name]
    root = copy_project(tmp_path / "project", mutant.changes)
    settings = {
        "CHAT_BUCKET_SIZE": str(mutant.bucket_size),
        "CHAT_NOTIFY_DELAY_SECONDS": str(mutant.notify_delay_s),
    }

    found, told = set[str](), ""
    for number in range(_RUNS):
        directory = tmp_path / f"data-{number}"
        outcome = await run_alone(directory, _plan(mutant, number), settings, root=root)
        found |= {violation.rule for violation in outcome.violations}
        told = outcome.told()
        if found & mutant.rules and mutant.each <= found:
            return

    raise AssertionError(f"not found: {mutant.each - found or mutant.rules}\n{told}")


def _plan(mutant: Mutant, number: int) -> Plan:
    return Plan(
        SEED + number,
        mutant.faults,
        seconds=mutant.seconds,
        rate=8 if mutant.beside else 15,
        patience_s=3,  # short: it will not settle
        beside=mutant.beside,
        rights=mutant.beside,
        erases=mutant.beside,
    )
