"""Malformed handshakes and frames on the WebSocket of the service that the hub is behind."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

import aiohttp

from tests.attack.report import Result
from tests.hub import Hub
from tests.integration.app.people import World

_END: Final = "\x1e"
_WAIT_S: Final = 5.0
_HANDSHAKE: Final = '{"protocol":"json","version":1}' + _END


def _call(**changed: Any) -> str:
    call = {"type": 1, "invocationId": "1", "target": "heartbeat", "arguments": [{}]}
    return json.dumps({**call, **changed}) + _END


def handshakes() -> Iterator[tuple[str, str | bytes]]:
    """Yield what a client may say first and must not be served for."""
    yield "no JSON", "hello" + _END
    yield "no protocol", "{}" + _END
    yield "unknown protocol", '{"protocol":"xml","version":1}' + _END
    yield "unknown version", '{"protocol":"json","version":99}' + _END
    yield "a call first", _call()
    yield "no end", '{"protocol":"json","version":1}'
    yield "binary junk", b"\x00\xff" * 64


def frames() -> Iterator[tuple[str, str | bytes]]:
    """Yield frames that a connected client must not be able to harm anybody with."""
    yield "no JSON", "][" + _END
    yield "no type", "{}" + _END
    yield "unknown type", '{"type":99}' + _END
    yield "type as text", '{"type":"1"}' + _END
    yield "no target", _call(target=None)
    yield "unknown target", _call(target="dropTables")
    yield "a function's name as target", _call(target="send_message")
    yield "no arguments", _call(arguments=[])
    yield "many arguments", _call(arguments=[{}] * 100)
    yield "arguments as text", _call(arguments="x")
    yield "deep nesting", _call(arguments=[json.loads("[" * 500 + "]" * 500)])
    yield (
        "another's user id",
        _call(arguments=[{"userId": "somebody-else"}], userId="somebody-else"),
    )
    yield "headers", _call(headers={"X-ASRS-User-Id": "somebody-else"})
    yield (
        "lone surrogate",
        '{"type":1,"invocationId":"1","target":"\\ud800","arguments":[{}]}' + _END,
    )
    yield "NUL", _call(target="\0")
    yield "one megabyte", _call(arguments=[{"x": "y" * 1_000_000}])
    yield "two million brackets", "[" * 2_000_000 + _END
    yield "binary in a text protocol", b"\x00\xff" * 64
    yield "a completion", '{"type":3,"invocationId":"1","result":{"ok":true}}' + _END
    yield "a close", '{"type":7}' + _END


async def attack(world: World) -> Result:
    """Send each; a bystander's connection must go on being served, and no push be forged."""
    result = Result("malformed handshakes and frames")
    ann, bystander = await world.people("frames", "bystander")
    watching = await bystander.connect()
    for name, said in handshakes():
        await _try(result, f"handshake: {name}", partial(_first, world, *ann.proof, said))
    for name, said in frames():
        await _try(result, f"frame: {name}", partial(_later, world, *ann.proof, said))
        served = await watching.invoke("heartbeat", {})
        result.require(
            served["ok"] or served["error"]["code"] == "rate_limited", f"{name}: {served}"
        )
    result.require(not watching.events, f"the bystander was pushed {watching.events[:3]}")
    await watching.close()
    return result


async def _try(result: Result, name: str, say: Callable[[], Awaitable[str]]) -> None:
    answer = await say()
    result.saw(answer)
    if name.startswith("handshake"):
        result.require(answer != "served", f"{name}: served")


async def _first(world: World, user_id: str, token: str, said: str | bytes) -> str:
    """Say *said* in place of the handshake, then call; return what came of it."""
    socket = await _open(world, user_id, token)
    await _say(socket, said)
    await _say(socket, _call())
    return await _outcome(socket)


async def _later(world: World, user_id: str, token: str, said: str | bytes) -> str:
    """Shake hands, say *said*, then make a good call; return what came of it."""
    socket = await _open(world, user_id, token)
    await _say(socket, _HANDSHAKE)
    await _say(socket, said)
    await _say(socket, _call(invocationId="good"))
    return await _outcome(socket)


async def _open(world: World, user_id: str, token: str) -> aiohttp.ClientWebSocketResponse:
    hub_url, access_token = await Hub.negotiate(world.session, world.stack.base_url, user_id, token)
    parts = urlsplit(hub_url)
    asked = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/negotiate"))
    bearer = {"Authorization": f"Bearer {access_token}"}
    async with world.session.post(f"{asked}&negotiateVersion=1", headers=bearer) as reply:
        ticket = await reply.json()
    query = f"&id={quote(ticket['connectionToken'])}&access_token={quote(access_token)}"
    return await world.session.ws_connect(f"{hub_url}{query}", max_msg_size=0)


async def _say(socket: aiohttp.ClientWebSocketResponse, said: str | bytes) -> None:
    try:
        await (socket.send_bytes(said) if isinstance(said, bytes) else socket.send_str(said))
    except ConnectionError:
        return  # closed meanwhile: the outcome tells


async def _outcome(socket: aiohttp.ClientWebSocketResponse) -> str:
    """Return `served` when the good call was answered, else how the connection ended."""
    try:
        async with asyncio.timeout(_WAIT_S):
            async for frame in socket:
                if frame.type is aiohttp.WSMsgType.TEXT and _answers(frame.data):
                    return "served"
    except TimeoutError:
        return "silence"
    finally:
        await socket.close()
    return "closed"


def _answers(text: str) -> bool:
    messages = [json.loads(part) for part in text.split(_END)[:-1]]
    return any(each.get("type") == 3 and each.get("result", {}).get("ok") for each in messages)
