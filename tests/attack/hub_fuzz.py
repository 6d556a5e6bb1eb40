"""Hub calls made up from the AsyncAPI document: right arguments, and their broken neighbours.

Values are drawn from the schemas with a fixed seed, so a run is the same each time. Each caller
makes few calls, so that a limit does not hide what the calls do.
"""

import itertools
import random
from collections.abc import Iterator
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings

from tests.attack.report import Result
from tests.contract.api import documents as docs
from tests.contract.api.values import neighbours, values
from tests.hub import Hub, HubClosedError
from tests.integration.app.people import Person, World, message

_CALLS_EACH: Final = 100  # below the burst of every limit


async def attack(world: World, *, calls: int) -> Result:
    """Make *calls* calls of every method; no answer may fail, and no connection may end."""
    result = Result("hub calls made up from asyncapi.yaml")
    for name, said in docs.methods().items():
        (asked,) = said["messages"]
        arguments = list(_arguments(docs.payload(asked), count=calls))
        for part in itertools.batched(arguments, _CALLS_EACH, strict=False):
            await _try_part(world, result, name, part)
    return result


async def _try_part(world: World, result: Result, name: str, arguments: tuple[Any, ...]) -> None:
    ann, bob = await world.people(f"fuzz-{result.tries}", f"other-{result.tries}")
    conversation_id = await ann.direct(bob)
    hub = await ann.connect()
    for number, argument in enumerate(arguments):
        if number % 2 and isinstance(argument, dict) and "conversationId" in argument:
            argument["conversationId"] = conversation_id
        try:
            await _try(hub, result, name, argument)
        except HubClosedError:
            result.findings.append(f"{name} ended the connection: {argument!r}")
            hub = await ann.connect()
    await _require_service(ann, conversation_id, result, name)
    await hub.close()


async def _try(hub: Hub, result: Result, name: str, argument: object) -> None:
    completion = await hub.complete(name, argument)
    if "error" in completion:
        result.saw("completion error")
        result.findings.append(f"{name} failed with an exception: {argument!r}")
        return
    answer = completion["result"]
    result.saw("ok" if answer.get("ok") else str(answer.get("error", {}).get("code")))
    result.require(
        answer.get("ok") or answer["error"]["code"] != "unavailable",
        f"{name} found a service unavailable: {argument!r}",
    )
    (reply,) = docs.methods()[name]["reply"]["messages"]
    try:
        docs.check(answer, docs.payload(reply), what=name)
    except AssertionError as error:
        result.findings.append(str(error))


async def _require_service(ann: Person, conversation_id: str, result: Result, name: str) -> None:
    """Require that the caller still gets a message through."""
    reply = await ann.post(conversation_id, **message("still here"))
    result.require(reply.status in {201, 429}, f"after {name}, a send is answered {reply.status}")


def _arguments(schema: docs.Json, *, count: int) -> Iterator[Any]:
    """Yield *count* arguments: of every ten, one that *schema* takes and nine broken ones."""
    whole: list[Any] = []

    @settings(
        max_examples=max(1, count // 10),
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(values(schema))
    def draw(value: Any) -> None:
        whole.append(value)

    draw()
    near = [broken for value in whole[:3] for broken in neighbours(value, schema)]
    odd: list[Any] = [None, 1, "text", [], [[]], {"a": {"b": [None] * 50}}]
    chosen = random.Random(7).sample(near, min(len(near), max(0, count - len(whole) - len(odd))))
    yield from (*whole, *odd, *chosen)
