"""What goes wrong and when, and who says what and when: all of it from the seed alone."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

type Knob = Mapping[str, Any]
type RedisFault = Literal["flush", "remember", "rewind"]


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One way to go wrong: what is armed, what is done to a process, and for how long.

    Args:
        knobs: Bodies of `POST /dev/faults`, cleared when the time is over.
        redis: What is done to the data in Redis, past the app.
        redis_after: The same, when the time is over.
        kill: A process ended with SIGKILL after `wait_s`; its supervisor starts it again. `all`
            ends the supervisor too, with everything; the stack is then started anew.
        pause: Processes stopped with SIGSTOP until the time is over.
        fills: The disk the stack's data lie on is full until the time is over.
        wait_s: Seconds between arming and killing.
        lasts_s: Least and most seconds it lasts.

    """

    knobs: tuple[Knob, ...] = ()
    redis: RedisFault | None = None
    redis_after: RedisFault | None = None
    kill: str = ""
    pause: tuple[str, ...] = ()
    fills: bool = False
    wait_s: float = 0.0
    lasts_s: tuple[float, float] = (0.8, 1.6)


def _cosmos(**knob: Any) -> FaultKind:
    return FaultKind(({"service": "cosmos", **knob},))


def _signalr(**knob: Any) -> FaultKind:
    return FaultKind(({"service": "signalr", **knob},))


def _bus(**knob: Any) -> FaultKind:
    return FaultKind(({"service": "servicebus", **knob},))


def _redis(**knob: Any) -> FaultKind:
    return FaultKind(({"service": "redis", **knob},))


# All but the supervisor: as when a machine sleeps and wakes.
_PROCESSES = (
    *("site", "host", "worker-1", "signalr", "cosmos", "servicebus", "redis", "azurite", "proxy"),
)
_ROOM_S = 0.7  # for the rest between two, and chance
_LOST_REPLY = {"service": "cosmos", "operation": "Create", "when": "after"}

FAULTS: Mapping[str, FaultKind] = {
    "cosmos-429": _cosmos(kind="error", status=429, probability=0.5),
    "cosmos-503": _cosmos(kind="error", status=503, probability=0.5),
    "cosmos-408": _cosmos(kind="error", status=408, probability=0.3),
    "cosmos-down": _cosmos(kind="error", status=503),
    "cosmos-slow": _cosmos(kind="delay", ms=250),
    "cosmos-reply-lost": FaultKind(({**_LOST_REPLY, "kind": "drop", "probability": 0.6},)),
    "cosmos-reply-spoilt": FaultKind(({**_LOST_REPLY, "kind": "error", "probability": 0.6},)),
    "cosmos-conflicts": _cosmos(kind="error", status=409, operation="Create", probability=0.7),
    "cosmos-killed": FaultKind(kill="cosmos"),
    "cosmos-paused": FaultKind(pause=("cosmos",)),
    "redis-down": _redis(kind="drop"),
    "redis-slow": _redis(kind="delay", ms=200),
    "redis-refusing": _redis(kind="error", probability=0.5),
    "redis-flushed": FaultKind(redis="flush"),
    "redis-killed": FaultKind(kill="redis"),
    "redis-emptied": FaultKind(redis="flush", kill="redis"),
    "redis-rewound": FaultKind(redis="remember", redis_after="rewind"),
    "redis-paused": FaultKind(pause=("redis",)),
    "signalr-503": _signalr(kind="error", operation="rest"),
    "signalr-slow": _signalr(kind="delay", operation="rest", ms=300),
    "signalr-lost": _signalr(kind="drop", operation="deliver"),
    "signalr-doubled": _signalr(kind="duplicate", operation="deliver"),
    "signalr-reordered": _signalr(kind="reorder", operation="deliver", probability=0.5, ms=500),
    "signalr-late": _signalr(kind="error", operation="deliver", probability=0.5),
    "signalr-upstream-down": _signalr(kind="error", operation="upstream", probability=0.5),
    "signalr-upstream-lost": _signalr(kind="drop", operation="upstream", probability=0.5),
    "signalr-no-hello": FaultKind(
        (
            {"service": "signalr", "kind": "drop", "operation": "connected"},
            {"service": "signalr", "kind": "drop", "operation": "client"},
        )
    ),
    "signalr-no-goodbye": FaultKind(
        (
            {"service": "signalr", "kind": "drop", "operation": "disconnected"},
            {"service": "signalr", "kind": "close", "operation": "client"},
        )
    ),
    "signalr-closed": _signalr(kind="close", operation="client"),
    "signalr-no-entry": FaultKind(
        (
            {"service": "signalr", "kind": "error", "operation": "client"},
            {"service": "signalr", "kind": "drop", "operation": "client"},
        )
    ),
    "signalr-killed": FaultKind(kill="signalr"),
    "signalr-paused": FaultKind(pause=("signalr",)),
    "bus-down": _bus(kind="drop"),
    "bus-refusing": _bus(kind="error", operation="send"),
    "bus-lock-lost": _bus(kind="lock-lost", operation="settle", probability=0.5),
    "bus-doubled": _bus(kind="duplicate", operation="settle", probability=0.5),
    "bus-killed": FaultKind(kill="servicebus"),
    "bus-paused": FaultKind(pause=("servicebus",)),
    "blob-down": FaultKind(({"service": "blob", "kind": "drop"},)),
    "azurite-killed": FaultKind(kill="azurite"),
    "azurite-paused": FaultKind(pause=("azurite",)),
    "proxy-killed": FaultKind(kill="proxy"),
    "proxy-paused": FaultKind(pause=("proxy",)),
    "worker-killed": FaultKind(kill="worker-1"),
    "worker-killed-between": FaultKind(
        ({**_LOST_REPLY, "kind": "delay", "ms": 600},), kill="worker-1", wait_s=0.4
    ),
    "worker-paused": FaultKind(pause=("worker-1",)),
    "host-killed": FaultKind(kill="host"),
    "host-paused": FaultKind(pause=("host",)),
    "site-killed": FaultKind(kill="site"),
    "site-paused": FaultKind(pause=("site",)),
    "everything-killed": FaultKind(kill="all"),
    "everything-paused": FaultKind(pause=_PROCESSES, lasts_s=(5.0, 8.0)),
}

# Only where the stack's data lie on a disk of their own, which may be filled.
FULL_DISK: Mapping[str, FaultKind] = {"disk-filled": FaultKind(fills=True, lasts_s=(4.0, 6.0))}

# Stops that last longer than clients and services wait: for the soak.
STUCK: Mapping[str, FaultKind] = {
    f"{name.removesuffix('-paused')}-stuck": replace(fault, lasts_s=(5.0, 40.0))
    for name, fault in FAULTS.items()
    if name.endswith("-paused")
}

EVERY_FAULT: Mapping[str, FaultKind] = {**FAULTS, **FULL_DISK, **STUCK}


def seconds_for(names: Iterable[str]) -> float:
    """Return about how long it takes to do each of *names* once."""
    return sum(sum(EVERY_FAULT[name].lasts_s) / 2 + _ROOM_S for name in names)


@dataclass(frozen=True, slots=True)
class Strike:
    """The fault *name*, from second *at_s* of the run to *until_s*."""

    at_s: float
    until_s: float
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """A message of the script: at second *at_s*, the person and the conversation by number.

    Args:
        patience_ms: How long an impatient sender waits; 0 for one who uses the SDK.

    """

    at_s: float
    who: int
    place: int
    patience_ms: int


def strikes(
    seed: int, names: Iterable[str], seconds: float, *, rest_s: float = 0.5
) -> list[Strike]:
    """Return strikes one after another: each name once in a random order, then any of them."""
    chance = random.Random(f"strikes {seed}")
    every = sorted(names)
    waiting = chance.sample(every, len(every))
    found: list[Strike] = []
    at_s = rest_s
    while every and at_s < seconds:
        name = waiting.pop() if waiting else chance.choice(every)
        lasts_s = chance.uniform(*EVERY_FAULT[name].lasts_s)
        found.append(Strike(at_s, at_s + lasts_s, name))
        at_s += lasts_s + chance.uniform(rest_s / 2, rest_s * 1.5)
    return found


def lines(
    seed: int, seconds: float, *, rate: float, people: int, places: list[list[int]]
) -> list[Line]:
    """Return a script of *rate* messages a second, each by a member of its conversation.

    Args:
        people: How many there are; the last one is the impatient sender.
        places: The members of each conversation, by number.

    """
    chance = random.Random(f"lines {seed}")
    found: list[Line] = []
    at_s = 0.0
    while (at_s := at_s + chance.expovariate(rate)) < seconds:
        place = chance.randrange(len(places))
        who = chance.choice(places[place])
        patience_ms = chance.choice([40, 120, 400]) if who == people - 1 else 0
        found.append(Line(at_s, who, place, patience_ms))
    return found
