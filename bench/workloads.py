"""The workloads: each on a fresh stack, driven by the real SignalR client in Node."""

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import machine
from bench.growth import measure
from tests.stack import Stack, running_stack

_LOAD = Path(__file__).parent / "load"
_TIMEOUT_S = 900
# The limiter is not what is measured.
_ENV = {
    "CHAT_LIMIT_MESSAGES": "100000/s:100000",
    "CHAT_LIMIT_OTHER": "100000/s:100000",
    "CHAT_LIMIT_CONVERSATIONS": "100000/s:100000",
    "CHAT_LIMIT_GROUPS": "100000/s:100000",
    "CHAT_LIMIT_NEGOTIATE_USER": "100000/s:100000",
    "CHAT_LIMIT_CONNECTIONS": "100000",
    "CHAT_RECONNECT_WITHIN_SECONDS": "0",
}

type Json = dict[str, Any]


def pairs(messages: int = 3000) -> Json:
    """W1: 20 two-member conversations in closed loop, receipts on."""
    with _stack() as stack:
        before = _usage(stack)
        ran = _run(stack, "pairs.mjs", PAIRS="20", MESSAGES=str(messages))
        after = _usage(stack)
    cpu = {name: after[name]["cpuSeconds"] - before[name]["cpuSeconds"] for name in after}
    thousands = messages / 1000
    return {
        **_without_metrics(ran),
        "perMessage": _per_message(ran, messages),
        "cpuSecondsPer1000": {name: round(used / thousands, 2) for name, used in cpu.items()},
        "peakMB": {name: one["peakMB"] for name, one in after.items()},
    }


def alone(messages: int = 500) -> Json:
    """One sender, one reader, nothing else; and without receipts, what a send costs."""
    with _stack() as stack:
        ran = _run(stack, "pairs.mjs", PAIRS="1", MESSAGES=str(messages))
        bare = _run(stack, "pairs.mjs", PAIRS="1", MESSAGES=str(messages), RECEIPTS="off")
    return {
        **_without_metrics(ran),
        "perSendWithoutReceipts": _per_message(bare, messages),
    }


def group(messages: int = 200) -> Json:
    """W2: one group of 100, all online."""
    with _stack() as stack:
        ran = _run(stack, "group.mjs", MEMBERS="100", MESSAGES=str(messages))
    return {**_without_metrics(ran), "perMessage": _per_message(ran, messages)}


def history(messages: int = 5000, conversations: int = 1000) -> Json:
    """W3: paging back; and an inbox page of few and of many conversations."""
    with _stack() as stack:
        return _run(stack, "history.mjs", MESSAGES=str(messages), CONVERSATIONS=str(conversations))


def start() -> Json:
    """How long starting takes, and what the idle stack with one worker takes of memory."""
    with _stack() as stack:
        first = stack.started_in_s
        time.sleep(5)
        idle = _usage(stack)
        total = sum(one["residentMB"] for one in idle.values())
        stack.stop()
        stack.start()
        second = stack.started_in_s
    return {
        "firstStartSeconds": round(first, 2),
        "secondStartSeconds": round(second, 2),
        "idleMB": round(total, 1),
        "idleMBByProcess": {name: one["residentMB"] for name, one in idle.items()},
    }


def indexing(tries: int = 7) -> Json:
    """What importing the app costs beside importing azure.functions alone."""
    alone_s = machine.indexing_seconds("import azure.functions", tries=tries)
    app_s = machine.indexing_seconds("import function_app", tries=tries)
    return {
        "azureFunctionsMs": round(alone_s * 1000, 1),
        "functionAppMs": round(app_s * 1000, 1),
        "ratio": round(app_s / alone_s, 2),
    }


def worker_killed(messages: int = 2000) -> Json:
    """W1 while the worker is killed once: the longest time without an acknowledgement."""
    with _stack() as stack:
        return _run(stack, "killed.mjs", PAIRS="20", MESSAGES=str(messages))


def redis_emptied(seconds: int = 120) -> Json:
    """W1 while Redis is killed and comes back empty every 20 seconds."""
    with _stack() as stack:
        port = str(stack.ports.redis_server)
        return _run(stack, "emptied.mjs", PAIRS="20", SECONDS=str(seconds), REDIS_PORT=port)


def reconnect(clients: int = 200) -> Json:
    """How long until all clients are back after SignalR was killed, with what they missed."""
    with _stack() as stack:
        return _run(stack, "reconnect.mjs", CLIENTS=str(clients))


def growth() -> Json:
    """A page after a loss of Redis, and a sync with nothing new, of 20 to 5,000 conversations."""
    with _stack() as stack, asyncio.Runner() as runner:
        return runner.run(measure(stack))


@contextmanager
def _stack() -> Iterator[Stack]:
    with (
        tempfile.TemporaryDirectory(prefix="parley-bench-") as directory,
        running_stack(Path(directory), _ENV) as stack,
    ):
        yield stack


def _run(stack: Stack, script: str, **env: str) -> Json:
    environment = {**machine.environment(), **env, "BASE_URL": stack.base_url}
    done = subprocess.run(
        ["node", str(_LOAD / script)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        sentence = f"{script} failed:\n{done.stderr[-2000:]}"
        raise SystemExit(sentence)
    found: Json = json.loads(done.stdout.splitlines()[-1])
    return found


def _usage(stack: Stack) -> dict[str, dict[str, float]]:
    with asyncio.Runner() as runner:
        return machine.usage(runner.run(stack.processes()))


def _per_message(ran: Json, messages: int) -> Json:
    before, after = ran["before"], ran["after"]

    def per(*path: str) -> float:
        first: Any = before
        last: Any = after
        for name in path:
            first, last = first[name], last[name]
        return round(float(last - first) / messages, 3)

    return {
        "cosmosRequests": per("cosmos", "requests"),
        "requestUnits": per("cosmos", "requestUnits"),
        "redisRoundTrips": per("redis", "roundTrips"),
        "redisCommands": per("redis", "commands"),
        "signalrRestCalls": per("signalr", "restCalls"),
        "signalrUpstreamCalls": per("signalr", "upstreamCalls"),
        "signalrOutboundMessages": per("signalr", "outboundMessages"),
        "serviceBusSent": per("serviceBus", "sent"),
    }


def _without_metrics(ran: Json) -> Json:
    return {name: value for name, value in ran.items() if name not in {"before", "after"}}
