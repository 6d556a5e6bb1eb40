"""Floods: one user takes no more than the limits give, and nobody else notices.

What a bucket gives is its burst and what it gains in the time that passed; the time is measured on
this side, from before the first call until after the last, so a slow machine only widens it.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Final

from tests.attack.report import Result
from tests.hub import Hub
from tests.integration.app.people import Json, Person, World, eventually
from tests.stack import Reply

# The limits as shipped: calls a second and burst, and the pause between two typing events.
# docs/operations.md#settings says why they are what they are.
_OTHER: Final = (50, 200)
_NEGOTIATIONS: Final = (2, 60)
_CONNECTIONS: Final = 20
_TYPING_S: Final = 2.5
_ENDS_S: Final = 20.0  # a connection too many ends within, on a busy machine too


async def calls(world: World, *, parallel: int, seconds: float) -> Result:
    """Flood with a cheap call from *parallel* tasks; meanwhile a bystander acknowledges."""
    result = Result(f"a flood of {parallel} calls at once")
    ann, bob, eve = await world.people("bystander", "friend", "flooder")
    conversation_id = await ann.direct(bob)
    await bob.say(conversation_id)
    watching = asyncio.create_task(_acknowledge_until(ann, conversation_id, seconds))
    served, took = await _flood(
        result, parallel, seconds, lambda: _status(eve.call("GET", "/presence?userIds=nobody"))
    )
    per_second, burst = _OTHER
    allowed = burst + per_second * took
    result.require(served <= allowed, f"{served} calls were served, {allowed:.0f} allowed")
    answers = await watching
    result.require(answers == {200}, f"the bystander's acknowledgements were answered {answers}")
    return result


async def refused_calls(world: World, *, parallel: int, seconds: float) -> Result:
    """Flood with calls that are refused for their content; they must take from the bucket too."""
    result = Result(f"a flood of {parallel} wrong calls at once")
    eve = await world.person("wrong")
    served, took = await _flood(
        result,
        parallel,
        seconds,
        lambda: _status(eve.call("POST", "/sync", {"positions": "x"})),
        "400",
    )
    per_second, burst = _OTHER
    allowed = burst + per_second * took
    result.require(served <= allowed, f"{served} wrong calls were looked at, {allowed:.0f} allowed")
    return result


async def negotiations(world: World, *, attempts: int) -> Result:
    """Negotiate as often as one can at once; the limit of the user holds."""
    result = Result(f"{attempts} negotiations at once")
    eve = await world.person("negotiator")
    said = {"x-ms-signalr-userid": eve.user_id}
    begun = time.monotonic()
    replies = [eve.call("POST", "/negotiate", headers=said) for _ in range(attempts)]
    for reply in await asyncio.gather(*replies):
        result.saw(str(reply.status))
    per_second, burst = _NEGOTIATIONS
    allowed = burst + per_second * (time.monotonic() - begun)
    result.require(set(result.answers) <= {"200", "429"}, f"answers: {dict(result.answers)}")
    result.require(result.answers["200"] <= allowed, f"{result.answers['200']} were let through")
    return result


async def connections(world: World) -> Result:
    """Open more connections than a user may have; the oldest end, and the newest serve."""
    result = Result("more connections than a user may have")
    eve = await world.person("hoarder")
    hubs = [await eve.connect() for _ in range(_CONNECTIONS + 5)]
    with contextlib.suppress(AssertionError):  # what is open is counted below
        await eventually(lambda: _open(hubs), lambda count: count <= _CONNECTIONS, _ENDS_S)
    for hub in hubs:
        result.saw("open" if hub.is_open else "closed")
    held = await _open(hubs)
    result.require(held <= _CONNECTIONS, f"{held} connections are open")
    result.require(hubs[-1].is_open, "the newest connection was closed")
    return result


async def typing(world: World, *, toggles: int) -> Result:
    """Say typing and not typing in turn; the other member hears little of it."""
    result = Result("typing on and off")
    ann, bob = await world.people("toggler", "reader")
    conversation_id = await ann.direct(bob)
    reading, hub = await bob.connect(), await ann.connect()
    begun = time.monotonic()
    for number in range(toggles):
        asked: Json = {"conversationId": conversation_id, "typing": number % 2 == 0}
        answer = await hub.invoke("setTyping", asked)
        result.saw("ok" if answer["ok"] else str(answer["error"]["code"]))
    took = time.monotonic() - begun
    await bob.say(conversation_id, "the end")
    await reading.wait_for("messagePosted")
    heard = len(reading.heard("typing"))
    allowed = 2 * (1 + took / _TYPING_S)
    result.require(heard <= allowed, f"{heard} events in {took:.1f} s, {allowed:.0f} allowed")
    return result


async def _open(hubs: list[Hub]) -> int:
    return sum(hub.is_open for hub in hubs)


async def _flood(
    result: Result,
    parallel: int,
    seconds: float,
    ask: Callable[[], Awaitable[str]],
    served: str = "200",
) -> tuple[int, float]:
    """Ask from *parallel* tasks for *seconds*; return how many were served and the time it took."""
    begun = time.monotonic()

    async def one() -> None:
        while time.monotonic() - begun < seconds:
            result.saw(await ask())

    await asyncio.gather(*(one() for _ in range(parallel)))
    broken = [status for status in result.answers if status not in {served, "429"}]
    result.require(not broken, f"answers of another kind: {broken}")
    return result.answers[served], time.monotonic() - begun


async def _acknowledge_until(ann: Person, conversation_id: str, seconds: float) -> set[int]:
    begun, answers = time.monotonic(), set()
    while time.monotonic() - begun < seconds:
        reply = await ann.call("PUT", f"/conversations/{conversation_id}/receipt", {"read": 1})
        answers.add(reply.status)
        await asyncio.sleep(0.2)
    return answers


async def _status(reply: Awaitable[Reply]) -> str:
    return str((await reply).status)
