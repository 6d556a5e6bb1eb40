"""What the numbers were measured on, and what its processes took."""

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

_CPUINFO = Path("/proc/cpuinfo")


def describe() -> dict[str, Any]:
    """Return the machine, the versions, and how busy it was with other things."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in _CPUINFO.read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memoryGiB": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "node": subprocess.run(
            ["node", "--version"], capture_output=True, text=True, check=True
        ).stdout.strip(),
        "loadBefore": round(psutil.getloadavg()[0], 2),
    }


def environment() -> dict[str, str]:
    """Return a copy of this process's environment, for a child to add to."""
    return dict(os.environ)  # noqa: TID251  # handed on, not read


def usage(processes: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return CPU seconds since start and resident MB (now and at most) of each process."""
    found: dict[str, dict[str, float]] = {}
    for name, item in processes.items():
        process = psutil.Process(int(item["pid"]))
        times = process.cpu_times()
        found[name] = {
            "cpuSeconds": round(times.user + times.system, 2),
            "residentMB": round(process.memory_info().rss / 1e6, 1),
            "peakMB": _peak_mb(int(item["pid"])),
        }
    return found


def indexing_seconds(code: str, *, tries: int) -> float:
    """Return the best time of *tries* fresh interpreters that run *code*."""
    timed = f"import time; t=time.perf_counter(); {code}; print(time.perf_counter()-t)"
    times = [
        float(
            subprocess.run(
                [sys.executable, "-c", timed], capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(tries)
    ]
    return min(times)


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return round(int(line.split()[1]) / 1000, 1)
