"""Calls made at once, where the order decides what may happen."""

import asyncio
import uuid
from typing import Final

from tests.attack.report import Result
from tests.hub import Hub, HubClosedError
from tests.integration.app.people import Person, World, message

_MOST_MEMBERS: Final = 100


async def full_group(world: World, *, adders: int) -> Result:
    """Add one user each from *adders* calls at once to a group that has one seat left."""
    result = Result("adding at once to a group with one free place")
    ann = await world.person("crowded")
    crowd = await world.crowd(_MOST_MEMBERS - 2 + adders)
    inside, waiting = crowd[: _MOST_MEMBERS - 2], crowd[_MOST_MEMBERS - 2 :]
    group = await ann.group(*inside)
    path = f"/conversations/{group}/members"
    replies = await asyncio.gather(*(ann.call("POST", path, {"userIds": [one]}) for one in waiting))
    for reply in replies:
        result.saw(str(reply.status))
    members = (await ann.good("GET", f"/conversations/{group}"))["members"]
    result.require(len(members) <= _MOST_MEMBERS, f"the group has {len(members)} members")
    result.require(
        {reply.status for reply in replies} <= {200, 409, 429, 503}, "an answer is of another kind"
    )
    return result


async def one_message_many_times(world: World, *, attempts: int) -> Result:
    """Send one message from many calls at once, over HTTP and the hub, its id in two spellings."""
    result = Result("one message sent many times at once")
    ann, bob = await world.people("repeater", "listener")
    conversation_id = await ann.direct(bob)
    hub = await ann.connect()
    client_id = str(uuid.uuid4())
    sends = [_send(ann, hub, conversation_id, client_id, number) for number in range(attempts)]
    sequences = set()
    for status, sequence in await asyncio.gather(*sends):
        result.saw(status)
        if sequence is not None:
            sequences.add(sequence)
    stored = await bob.read(conversation_id)
    result.require(len(stored) == 1, f"{len(stored)} messages are stored")
    result.require(sequences <= {1}, f"the answers name the sequences {sequences}")
    return result


async def removal_while_sending(world: World, *, rounds: int) -> Result:
    """Remove a member who is sending; nothing begun after the answer may be taken."""
    result = Result("removing a member who sends")
    ann, eve, bob = await world.people("remover", "removed", "remaining")
    for _ in range(rounds):
        group = await ann.group(eve, bob)
        stop = asyncio.Event()
        before = asyncio.create_task(_send_until(eve, group, stop, result))
        await asyncio.sleep(0.1)
        gone = await ann.call("DELETE", f"/conversations/{group}/members/{eve.user_id}")
        stop.set()
        after = await asyncio.gather(*(eve.post(group, "after") for _ in range(10)))
        await before
        result.require(gone.status == 204, f"the removal is answered {gone.status}")
        for reply in after:
            result.saw(str(reply.status))
            result.require(reply.status == 404, f"a message after the removal: {reply.status}")
        seen = await eve.call("GET", f"/conversations/{group}/messages")
        result.require(seen.status == 404, f"history after the removal: {seen.status}")
    return result


async def block_while_starting(world: World, *, rounds: int) -> Result:
    """Block somebody who is starting a conversation; afterwards they cannot write."""
    result = Result("blocking somebody who starts a conversation")
    for number in range(rounds):
        ann, eve = await world.people(f"blocker-{number}", f"blocked-{number}")
        asked = {"kind": "direct", "memberIds": [ann.user_id]}
        started, blocked = await asyncio.gather(
            eve.call("POST", "/conversations", asked),
            ann.call("PUT", f"/blocks/{eve.user_id}"),
        )
        result.saw(f"start {started.status}")
        result.require(blocked.status == 204, f"the block is answered {blocked.status}")
        if started.status in {200, 201}:
            reply = await eve.post(str(started.json["id"]))
            result.saw(f"send {reply.status}")
            result.require(reply.status == 403, f"a message across the block: {reply.status}")
    return result


async def _send(
    ann: Person, hub: Hub, conversation_id: str, client_id: str, number: int
) -> tuple[str, int | None]:
    spelled = client_id.upper() if number % 2 else client_id
    asked = {**message(), "clientMessageId": spelled, "retry": number % 3 == 0}
    if number % 2:
        try:
            answer = await hub.invoke("sendMessage", {"conversationId": conversation_id, **asked})
        except HubClosedError:
            return "closed", None
        return ("ok", int(answer["message"]["sequence"])) if answer["ok"] else ("refused", None)
    reply = await ann.post(conversation_id, **asked)
    stored = reply.status in {200, 201}
    return str(reply.status), int(reply.json["message"]["sequence"]) if stored else None


async def _send_until(eve: Person, group: str, stop: asyncio.Event, result: Result) -> None:
    while not stop.is_set():
        result.saw(str((await eve.post(group, "before")).status))
