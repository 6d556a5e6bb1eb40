"""`make bench`: run every workload (or those named), print them, write bench/results/latest.json.

python -m bench [workload ...]
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import machine, workloads
from bench.targets import judged

_RESULTS = Path(__file__).parent / "results"
_WORKLOADS = {
    "indexing": workloads.indexing,
    "start": workloads.start,
    "alone": workloads.alone,
    "pairs": workloads.pairs,
    "group": workloads.group,
    "history": workloads.history,
    "growth": workloads.growth,
    "workerKilled": workloads.worker_killed,
    "redisEmptied": workloads.redis_emptied,
    "reconnect": workloads.reconnect,
}


def main(names: list[str]) -> int:
    """Return 0 when every target is met, 1 when one is missed."""
    unknown = [name for name in names if name not in _WORKLOADS]
    if unknown:
        sys.stderr.write(f"no workload {unknown[0]}; there are {', '.join(_WORKLOADS)}\n")
        return 2
    latest = _RESULTS / "latest.json"
    kept: dict[str, Any] = json.loads(latest.read_text("utf-8")) if latest.exists() else {}
    results = {
        **(kept if names else {}),
        "measuredAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(),
    }
    for name in names or _WORKLOADS:
        sys.stderr.write(f"{name} ...\n")
        results[name] = _WORKLOADS[name]()
    _RESULTS.mkdir(exist_ok=True)
    latest.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    rows = judged(results)
    sys.stdout.write("".join(f"{row.mark} {row.name}: {row.seen} ({row.target})\n" for row in rows))
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
