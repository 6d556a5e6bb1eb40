"""`make soak`: rounds of talk under every fault, for as long as asked, with a report.

`python -m tests.reliability.soak [MINUTES [SEED]]`: an hour by default. One stack lives through all
rounds; each round has people and conversations of its own, and is checked before the next begins.
The report goes to bench/results/soak.json and, as a table, to the terminal. Status 1 when a rule
was broken; the round's seed, shortest history and whole history are kept.
"""

import asyncio
import itertools
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import machine
from tests.integration.app.people import world_on
from tests.reliability.disk import disk_or_not
from tests.reliability.history import Acknowledged, Heard, Notified, save
from tests.reliability.many import furnish, patiently, whole_inbox, whole_sync
from tests.reliability.plan import SETTINGS, Outcome, Plan
from tests.reliability.runs import run_on
from tests.reliability.schedule import FAULTS, FULL_DISK, STUCK, seconds_for
from tests.reliability.stack_probe import redis
from tests.stack import ROOT, Stack, running_stack

_RESULTS = ROOT / "bench" / "results" / "soak.json"
_RATE = 5.0
_LARGE = 5_000
_LARGE_S = 120.0
# Two workers that race, and buckets that end.
_SETTINGS = {**SETTINGS, "CHAT_WORKERS": "2", "CHAT_BUCKET_SIZE": "20"}


@dataclass(slots=True)
class Report:
    """What a soak came to."""

    minutes: float = 0.0
    rounds: int = 0
    first_seed: int = 0
    counted: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    large: dict[str, float] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        self.rounds += 1
        self.faults.update(outcome.faults())
        self.violations += [
            f"seed {outcome.plan.seed}: {one.rule}: {one.sentence}" for one in outcome.violations
        ]
        self.counted["stored"] += outcome.messages
        for kind in (Acknowledged, Heard, Notified):
            self.counted[kind.kind] += sum(isinstance(one, kind) for one in outcome.history)

    def as_json(self) -> dict[str, Any]:
        return {
            "measuredAt": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine.describe(),
            "minutes": round(self.minutes, 1),
            "rounds": self.rounds,
            "firstSeed": self.first_seed,
            "messagesStored": self.counted["stored"],
            "acknowledgements": self.counted["acknowledged"],
            "pushes": self.counted["heard"],
            "notifications": self.counted["notified"],
            "faults": dict(sorted(self.faults.items())),
            "largeInboxAfterLoss": self.large,
            "violations": self.violations,
        }


def main(words: list[str]) -> int:
    """Do as the module says."""
    minutes = float(words[0]) if words else 60.0
    seed = int(words[1]) if len(words) > 1 else random.SystemRandom().randrange(1_000_000)
    with asyncio.Runner() as runner:
        report = runner.run(_soak(minutes, seed))
    _RESULTS.parent.mkdir(parents=True, exist_ok=True)
    _RESULTS.write_text(json.dumps(report.as_json(), indent=2) + "\n", encoding="utf-8")
    _show(report)
    return 1 if report.violations else 0


async def _soak(minutes: float, first_seed: int) -> Report:
    begun, report = time.monotonic(), Report(first_seed=first_seed)
    directory = Path(tempfile.mkdtemp(prefix="parley-soak-"))
    data = directory / "data"
    with disk_or_not(data) as fillable, running_stack(data, _SETTINGS) as stack:
        for seed in itertools.count(first_seed):
            outcome = await run_on(stack, _plan(seed, fillable=fillable))
            report.add(outcome)
            report.minutes = (time.monotonic() - begun) / 60
            sys.stderr.write(f"round {report.rounds}: {outcome.messages} messages, seed {seed}\n")
            if outcome.violations:
                save(outcome.history, directory / f"history-{seed}.jsonl")
                sys.stderr.write(f"{outcome.told()}\nin {directory}\n")
            if report.minutes >= minutes:
                await _lose_large_inbox(stack, report)
                return report
    raise AssertionError


async def _lose_large_inbox(stack: Stack, report: Report) -> None:
    """Empty Redis under somebody with very many conversations, and have them ask for all."""
    async with world_on(stack) as world:
        ann, bob = await world.people("ann", "bob")
        bodies = await furnish(ann, bob, _LARGE)
        async with redis(stack) as client:
            await client.flushall()
        begun = time.monotonic()
        await patiently(ann, "GET", "/conversations?limit=20", None, _LARGE_S)
        first_s = time.monotonic() - begun
        shown = await whole_inbox(ann, _LARGE_S)
        whole_s = time.monotonic() - begun
        brought = await whole_sync(ann, _LARGE_S)
    lost = [id_ for id_, body in bodies.items() if shown.get(id_) != body]
    lost += [id_ for id_, body in bodies.items() if body and brought.get(id_) != body]
    report.violations += [f"of a large inbox {id_} is missing" for id_ in lost]
    report.large = {
        "conversations": _LARGE,
        "firstPageS": round(first_s, 2),
        "wholeInboxS": round(whole_s, 2),
    }


def _plan(seed: int, *, fillable: bool) -> Plan:
    """Return a round: every fault, and two of the long stops in turn."""
    stuck = sorted(STUCK)
    long = (stuck[2 * seed % len(stuck)], stuck[(2 * seed + 1) % len(stuck)])
    names = (*FAULTS, *long, *(FULL_DISK if fillable else ()))
    return Plan(seed, names, seconds=seconds_for(names), rate=_RATE, rights=True, erases=True)


def _show(report: Report) -> None:
    rows = [f"| {name} | {count} |" for name, count in sorted(report.faults.items())]
    found = report.as_json()
    sys.stdout.write(
        f"{found['minutes']} minutes, {found['rounds']} rounds from seed {found['firstSeed']}: "
        f"{found['messagesStored']} messages, {sum(report.faults.values())} faults, "
        f"{len(report.violations)} violations\n" + "\n".join(["| Fault | Times |", *rows, ""])
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
