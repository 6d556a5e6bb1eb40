"""What goes wrong and when, and who says what and when: all of it from the seed alone."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

type Knob = Mapping[str, Any]
type RedisDeed = Literal["flush", "remember", "rewind"]


@dataclass(frozen=True, slots=True)
class Deed:
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
    redis: RedisDeed | None = None
    redis_after: RedisDeed | None = None
    kill: str = ""
    pause: tuple[str, ...] = ()
    fills: bool = False
    wait_s: float = 0.0
    lasts_s: tuple[float, float] = (0.8, 1.6)


def _cosmos(**knob: Any) -> Deed:
    return Deed(({"service": "cosmos", **knob},))


def _signalr(**knob: Any) -> Deed:
    return Deed(({"service": "signalr", **knob},))


def _bus(**knob: Any) -> Deed:
    return Deed(({"service": "servicebus", **knob},))


def _redis(**knob: Any) -> Deed:
    return Deed(({"service": "redis", **knob},))


# All but the supervisor: as when a machine sleeps and wakes.
_PROCESSES = (
    *("site", "host", "worker-1", "signalr", "cosmos", "servicebus", "redis", "azurite", "proxy"),
)
_ROOM_S = 0.7  # for the rest between two, and chance
_LOST_REPLY = {"service": "cosmos", "operation": "Create", "when": "after"}

DEEDS: Mapping[str, Deed] = {
    "cosmos-429": _cosmos(kind="error", status=429, probability=0.5),
    "cosmos-503": _cosmos(kind="error", status=503, probability=0.5),
    "cosmos-408": _cosmos(kind="error", status=408, probability=0.3),
    "cosmos-down": _cosmos(kind="error", status=503),
    "cosmos-slow": _cosmos(kind="delay", ms=250),
    "cosmos-reply-lost": Deed(({**_LOST_REPLY, "kind": "drop", "probability": 0.6},)),
    "cosmos-reply-spoilt": Deed(({**_LOST_REPLY, "kind": "error", "probability": 0.6},)),
    "cosmos-conflicts": _cosmos(kind="error", status=409, operation="Create", probability=0.7),
    "cosmos-killed": Deed(kill="cosmos"),
    "cosmos-paused": Deed(pause=("cosmos",)),
    "redis-down": _redis(kind="drop"),
    "redis-slow": _redis(kind="delay", ms=200),
    "redis-refusing": _redis(kind="error", probability=0.5),
    "redis-flushed": Deed(redis="flush"),
    "redis-killed": Deed(kill="redis"),
    "redis-emptied": Deed(redis="flush", kill="redis"),
    "redis-rewound": Deed(redis="remember", redis_after="rewind"),
    "redis-paused": Deed(pause=("redis",)),
    "signalr-503": _signalr(kind="error", operation="rest"),
    "signalr-slow": _signalr(kind="delay", operation="rest", ms=300),
    "signalr-lost": _signalr(kind="drop", operation="deliver"),
    "signalr-doubled": _signalr(kind="duplicate", operation="deliver"),
    "signalr-reordered": _signalr(kind="reorder", operation="deliver", probability=0.5, ms=500),
    "signalr-late": _signalr(kind="error", operation="deliver", probability=0.5),
    "signalr-upstream-down": _signalr(kind="error", operation="upstream", probability=0.5),
    "signalr-upstream-lost": _signalr(kind="drop", operation="upstream", probability=0.5),
    "signalr-no-hello": Deed(
        (
            {"service": "signalr", "kind": "drop", "operation": "connected"},
            {"service": "signalr", "kind": "drop", "operation": "client"},
        )
    ),
    "signalr-no-goodbye": Deed(
        (
            {"service": "signalr", "kind": "drop", "operation": "disconnected"},
            {"service": "signalr", "kind": "close", "operation": "client"},
        )
    ),
    "signalr-closed": _signalr(kind="close", operation="client"),
    "signalr-no-entry": Deed(
        (
            {"service": "signalr", "kind": "error", "operation": "client"},
            {"service": "signalr", "kind": "drop", "operation": "client"},
        )
    ),
    "signalr-killed": Deed(kill="signalr"),
    "signalr-paused": Deed(pause=("signalr",)),
    "bus-down": _bus(kind="drop"),
    "bus-refusing": _bus(kind="error", operation="send"),
    "bus-lock-lost": _bus(kind="lock-lost", operation="settle", probability=0.5),
    "bus-doubled": _bus(kind="duplicate", operation="settle", probability=0.5),
    "bus-killed": Deed(kill="servicebus"),
    "bus-paused": Deed(pause=("servicebus",)),
    "blob-down": Deed(({"service": "blob", "kind": "drop"},)),
    "azurite-killed": Deed(kill="azurite"),
    "azurite-paused": Deed(pause=("azurite",)),
    "proxy-killed": Deed(kill="proxy"),
    "proxy-paused": Deed(pause=("proxy",)),
    "worker-killed": Deed(kill="worker-1"),
    "worker-killed-between": Deed(
        ({**_LOST_REPLY, "kind": "delay", "ms": 600},), kill="worker-1", wait_s=0.4
    ),
    "worker-paused": Deed(pause=("worker-1",)),
    "host-killed": Deed(kill="host"),
    "host-paused": Deed(pause=("host",)),
    "site-killed": Deed(kill="site"),
    "site-paused": Deed(pause=("site",)),
    "everything-killed": Deed(kill="all"),
    "everything-paused": Deed(pause=_PROCESSES, lasts_s=(5.0, 8.0)),
}

# Only where the stack's data lie on a disk of their own, which may be filled.
FULL_DISK: Mapping[str, Deed] = {"disk-filled": Deed(fills=True, lasts_s=(4.0, 6.0))}

# Stops that last longer than clients and services wait: for the soak.
STUCK: Mapping[str, Deed] = {
    f"{name.removesuffix('-paused')}-stuck": replace(deed, lasts_s=(5.0, 40.0))
    for name, deed in DEEDS.items()
    if name.endswith("-paused")
}

EVERY_DEED: Mapping[str, Deed] = {**DEEDS, **FULL_DISK, **STUCK}


def seconds_for(names: Iterable[str]) -> float:
    """Return about how long it takes to do each of *names* once."""
    return sum(sum(EVERY_DEED[name].lasts_s) / 2 + _ROOM_S for name in names)


@dataclass(frozen=True, slots=True)
class Strike:
    """The deed *name*, from second *at_s* of the run to *until_s*."""

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
        lasts_s = chance.uniform(*EVERY_DEED[name].lasts_s)
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
