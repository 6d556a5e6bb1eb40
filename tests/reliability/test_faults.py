"""Every fault there is, in short seeded runs: what was acknowledged is there, once and in order.

A run that fails prints its seed and the shortest history that shows why. To see it again:
`python -m tests.reliability.runs SEED SECONDS FAULT ...`.
"""

from pathlib import Path

import pytest

from tests.reliability.disk import NoDiskError, small_disk
from tests.reliability.mutants import copy_project, faketime, skewed
from tests.reliability.plan import Plan
from tests.reliability.runs import faults_named, run_alone
from tests.reliability.schedule import FAULTS, FULL_DISK, seconds_for

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]

# What fails, and settings that make it harder: buckets that end, workers that race.
RUNS = {
    "signalr": (13, {}),
    "worker host site everything": (15, {"CHAT_BUCKET_SIZE": "5"}),
    "cosmos": (11, {"CHAT_BUCKET_SIZE": "5"}),
    "redis proxy": (12, {"CHAT_WORKERS": "2"}),
    "bus blob azurite": (14, {"CHAT_BUCKET_SIZE": "5", "CHAT_WORKERS": "2"}),
}


def test_every_fault_is_in_some_run() -> None:
    assert {name for parts in RUNS for name in faults_named(*parts.split())} == set(FAULTS)


@pytest.mark.parametrize("parts", RUNS)
async def test_nothing_acknowledged_is_lost_doubled_or_out_of_order(
    parts: str, tmp_path: Path
) -> None:
    seed, settings = RUNS[parts]
    names = faults_named(*parts.split())
    plan = Plan(seed, names, seconds=seconds_for(names))

    outcome = await run_alone(tmp_path, plan, settings)

    assert not outcome.violations, outcome.told()
    assert set(outcome.faults()) == set(names)


async def test_rights_and_an_erasure_hold_while_worker_store_and_redis_fail(
    tmp_path: Path,
) -> None:
    names = faults_named("worker-killed", "redis-emptied", "cosmos-reply-spoilt")
    plan = Plan(21, names, seconds=8, rights=True, erases=True)

    outcome = await run_alone(tmp_path, plan)

    assert not outcome.violations, outcome.told()
    assert set(outcome.faults()) == set(names)


async def test_a_full_disk_loses_nothing_acknowledged(tmp_path: Path) -> None:
    plan = Plan(17, tuple(FULL_DISK), seconds=seconds_for(FULL_DISK))
    try:
        with small_disk(tmp_path / "data") as directory:
            outcome = await run_alone(directory, plan)
    except NoDiskError as error:
        pytest.skip(str(error))

    assert not outcome.violations, outcome.told()
    assert set(outcome.faults()) == set(FULL_DISK)


async def test_a_worker_whose_clock_is_twenty_minutes_fast_breaks_nothing(tmp_path: Path) -> None:
    library = faketime()
    if library is None:
        pytest.skip("libfaketime is not installed: make test installs it where it may")
    root = copy_project(tmp_path / "project", skewed(library))
    plan = Plan(16, ("cosmos-reply-spoilt", "worker-killed"), seconds=6)
    settings = {"CHAT_WORKERS": "2", "CHAT_BUCKET_SIZE": "5"}

    outcome = await run_alone(tmp_path / "data", plan, settings, root=root)

    # Inboxes are ordered by `sentAt`, which is the worker's: off by as much as its clock is.
    broken = [one for one in outcome.violations if one.rule != "disorder"]
    assert not broken, outcome.told()
