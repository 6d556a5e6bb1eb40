"""The SignalR hub `chat`: its methods, and the life of its connections.

Every method takes one object and returns one object, `{ok: true, ...}` or `{ok: false, error}`.
The extension hands over an invocation as JSON text; its shape is in docs/protocol.md#invocations.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Self

import azure.functions as func

from shared.bootstrap import chat
from shared.domain.errors import ChatError, InvalidError, UnauthenticatedError
from shared.domain.ids import ConnectionId, UserId, user_id
from shared.domain.live import Call
from shared.domain.presence import MAX_WATCHED
from shared.domain.times import to_ms
from triggers import decode, drafts, edge, wire
from triggers.decode import Fields
from triggers.edge import HUB, PUSHES, SIGNALR, push
from triggers.errors import HubHandler, as_result, refusal
from triggers.http_messages import acknowledged

bp = func.Blueprint()

_MAX_ECHO: Final = 64  # of an id the client sent, in a refusal


@dataclass(frozen=True, slots=True)
class Invocation:
    """One message of one connection, as the extension hands it over."""

    user_id: UserId
    connection_id: ConnectionId
    argument: Fields

    @classmethod
    def parse(cls, text: str, *, with_argument: bool = True) -> Self:
        """Read the extension's JSON.

        Raises:
            UnauthenticatedError: The connection has no user.
            InvalidError: A method was not given exactly one object.
        """
        raw = json.loads(text)
        if not raw.get("UserId"):
            raise UnauthenticatedError("the connection has no user")
        argument: Fields = {}
        if with_argument:
            given = raw.get("Arguments") or []
            if len(given) != 1:
                raise InvalidError("a hub method takes exactly one object")
            argument = decode.as_object(given[0], field="argument")
        return cls(
            user_id(raw["UserId"], field="userId"), ConnectionId(raw["ConnectionId"]), argument
        )

    async def call(self, kind: str = "other") -> Call:
        return Call(self.user_id, self.connection_id, await edge.limit_of(kind))


def hub_event(name: str, event: str, *, category: str = "messages") -> Callable[[HubHandler], Any]:
    """Register a handler for one event of the hub, with the binding its pushes leave by."""

    def register(handler: HubHandler) -> Any:  # noqa: ANN401  # the library's own builder
        bound = bp.generic_output_binding(**PUSHES)(as_result(handler))
        triggered = bp.generic_trigger(
            arg_name="invocation",
            type="signalRTrigger",
            hubName=HUB,
            category=category,
            event=event,
            connectionStringSetting=SIGNALR,
        )(bound)
        return bp.function_name(name)(triggered)

    return register


@hub_event("send_message", "sendMessage")
async def send_message(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
    """Store a message and push it: {conversationId, clientMessageId, body, ...} -> {message}."""
    asked = Invocation.parse(invocation)
    try:
        conversation_id = decode.conversation_id(asked.argument.get("conversationId"))
        draft = drafts.parse(asked.argument)
        posted = await (await chat()).posting.post_message(
            await asked.call("messages"), conversation_id, draft
        )
    except ChatError as error:
        return _refused(error, asked.argument.get("clientMessageId"))
    push(pushes, posted.effects)
    return {"ok": True, "message": wire.message(posted.message)}


@hub_event("acknowledge", "acknowledge")
async def acknowledge(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
    """Advance the caller's watermarks: {conversationId, delivered?, read?} -> {receipt}."""
    asked = Invocation.parse(invocation)
    conversation_id = decode.conversation_id(asked.argument.get("conversationId"))
    delivered, read = acknowledged(asked.argument)
    receipt, effects = await (await chat()).receipts.acknowledge(
        await asked.call(), conversation_id, delivered=delivered, read=read
    )
    push(pushes, effects)
    return {"ok": True, "receipt": wire.receipt(receipt)}


@hub_event("heartbeat", "heartbeat")
async def heartbeat(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
    """Show life: {} -> {serverTime, activity, nextInMs}."""
    asked = Invocation.parse(invocation)
    beat, effects = await (await chat()).presences.heartbeat(await asked.call())
    push(pushes, effects)
    return {
        "ok": True,
        "serverTime": to_ms(beat.server_time),
        "activity": beat.activity,
        "nextInMs": (await chat()).settings.timing.heartbeat_s * 1000,
    }


@hub_event("set_typing", "setTyping")
async def set_typing(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
    """Say that the caller types, or stopped: {conversationId, typing} -> {}."""
    asked = Invocation.parse(invocation)
    conversation_id = decode.conversation_id(asked.argument.get("conversationId"))
    typing = decode.flag(asked.argument, "typing")
    effects = await (await chat()).typing.set_typing(
        await asked.call(), conversation_id, typing=typing
    )
    push(pushes, effects)
    return {"ok": True}


@hub_event("watch_presence", "watchPresence")
async def watch_presence(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
    """Watch exactly these users from this connection: {userIds} -> {items}."""
    asked = Invocation.parse(invocation)
    users = decode.user_ids(asked.argument.get("userIds"), field="userIds", most=MAX_WATCHED)
    presences, effects = await (await chat()).presences.watch(
        await asked.call(), asked.connection_id, users
    )
    push(pushes, effects)
    return {"ok": True, "items": [wire.presence(one) for one in presences]}


@hub_event("connected", "connected", category="connections")
async def connected(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
    """Give a new connection its lease. May come late, twice, or never."""
    asked = Invocation.parse(invocation, with_argument=False)
    call = Call(asked.user_id, asked.connection_id)
    effects = await (await chat()).presences.connected(call, asked.connection_id)
    push(pushes, effects)
    return {"ok": True}


@hub_event("disconnected", "disconnected", category="connections")
async def disconnected(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
    """End a connection's lease. May come late, twice, or never."""
    asked = Invocation.parse(invocation, with_argument=False)
    effects = await (await chat()).presences.disconnected(asked.user_id, asked.connection_id)
    push(pushes, effects)
    return {"ok": True}


def _refused(error: ChatError, client_message_id: object) -> dict[str, Any]:
    said = refusal(error)
    if isinstance(client_message_id, str):
        said["error"]["clientMessageId"] = client_message_id[:_MAX_ECHO]
    return said
