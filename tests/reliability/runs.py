"""Runs on a stack of their own: for tests, mutants and by hand.

`python -m tests.reliability.runs SEED SECONDS FAULT ... [NAME=VALUE ...]`
"""

import asyncio
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import aiohttp

from tests.reliability.history import save
from tests.reliability.plan import SETTINGS, Outcome, Plan
from tests.reliability.schedule import FAULTS
from tests.reliability.workload import Workload
from tests.stack import ROOT, Stack, running_stack

_CALL = aiohttp.ClientTimeout(total=20)


async def run_on(stack: Stack, plan: Plan) -> Outcome:
    """Run *plan* on *stack*."""
    async with aiohttp.ClientSession(timeout=_CALL) as session:
        return await Workload(stack, session, plan).run()


async def run_alone(
    directory: Path, plan: Plan, env: Mapping[str, str] | None = None, *, root: Path = ROOT
) -> Outcome:
    """Run *plan* on a fresh stack in *directory*, of the project at *root*; keep the history."""
    with running_stack(directory, {**SETTINGS, **(env or {})}, root=root) as stack:
        outcome = await run_on(stack, plan)
    save(outcome.history, directory / "history.jsonl")
    return outcome


def faults_named(*prefixes: str) -> tuple[str, ...]:
    """Return the names of all faults that begin with one of *prefixes*."""
    return tuple(name for name in FAULTS if name.startswith(prefixes))


def main(words: list[str]) -> int:
    """Do as the module says; return 1 when a rule was broken."""
    settings = dict(word.split("=", 1) for word in words if "=" in word)
    seed, seconds, *names = (word for word in words if "=" not in word)
    plan = Plan(int(seed), faults_named(*names) if names else (), seconds=float(seconds))
    plan = replace(plan, rights=True, erases=True)
    directory = Path(tempfile.mkdtemp(prefix="parley-run-"))
    with asyncio.Runner() as runner:
        outcome = runner.run(run_alone(directory, plan, settings))
    sys.stdout.write(f"{outcome.told()}\n{outcome.messages} messages, {outcome.faults()}\n")
    sys.stdout.write(f"{directory}\n")
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
