"""The SignalR hub `chat`: its methods, and the life of its connections.

Every method takes one object and returns one object, `{ok: true, ...}` or `{ok: false, error}`.
The extension hands over an invocation as JSON text; its shape is in docs/protocol.md#invocations.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import azure.functions as func

from shared.bootstrap import chat
from shared.domain.errors import ChatError
from triggers.bindings import HUB, PUSHES, SIGNALR
from triggers.errors import HubHandler, as_result
from triggers.lazy import lazily

if TYPE_CHECKING:
    from triggers import decode, drafts, edge, invocations, wire
else:
    decode = lazily("triggers.decode")
    drafts = lazily("triggers.drafts")
    edge = lazily("triggers.edge")
    invocations = lazily("triggers.invocations")
    wire = lazily("triggers.wire")

bp = func.Blueprint()


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
    asked = invocations.parse(invocation)
    try:
        call, argument = await asked.call("messages"), asked.argument
        conversation_id = decode.conversation_id(argument.get("conversationId"))
        draft = drafts.parse(argument)
        posted = await (await chat()).posting.post_message(call, conversation_id, draft)
    except ChatError as error:
        error.client_message_id = asked.client_message_id
        raise
    edge.push(pushes, posted.effects)
    return {"ok": True, "message": wire.message(posted.message)}


@hub_event("acknowledge", "acknowledge")
async def acknowledge(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
    """Advance the caller's watermarks: {conversationId, delivered?, read?} -> {receipt}."""
    asked = invocations.parse(invocation)
    call, argument = await asked.call(), asked.argument
    conversation_id = decode.conversation_id(argument.get("conversationId"))
    delivered, read = decode.acknowledged(argument)
    receipt, effects = await (await chat()).receipts.acknowledge(
        call, conversation_id, delivered=delivered, read=read
    )
    edge.push(pushes, effects)
    return {"ok": True, "receipt": wire.receipt(receipt)}


@hub_event("heartbeat", "heartbeat")
async def heartbeat(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
    """Show life: {} -> {serverTime, activity, nextInMs, reconnectWithinMs}."""
    asked = invocations.parse(invocation)
    call, _ = await asked.call(), asked.argument
    beat, effects = await (await chat()).presences.heartbeat(call)
    edge.push(pushes, effects)
    return {"ok": True, **wire.beat(beat, (await chat()).settings.timing)}


@hub_event("set_typing", "setTyping")
async def set_typing(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
    """Say that the caller types, or stopped: {conversationId, typing} -> {}."""
    asked = invocations.parse(invocation)
    call, argument = await asked.call(), asked.argument
    conversation_id = decode.conversation_id(argument.get("conversationId"))
    typing = decode.flag(argument, "typing")
    effects = await (await chat()).typing.set_typing(call, conversation_id, typing=typing)
    edge.push(pushes, effects)
    return {"ok": True}


@hub_event("watch_presence", "watchPresence")
async def watch_presence(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
    """Watch exactly these users from this connection: {userIds} -> {items}."""
    asked = invocations.parse(invocation)
    call, argument = await asked.call(), asked.argument
    users = invocations.watched(argument)
    presences, effects = await (await chat()).presences.watch(call, asked.connection_id, users)
    edge.push(pushes, effects)
    return {"ok": True, "items": [wire.presence(one) for one in presences]}


@hub_event("connected", "connected", category="connections")
async def connected(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
    """Give a new connection its lease. May come late, twice, or never."""
    asked = invocations.parse(invocation)
    effects = await (await chat()).connections.connected(asked.unlimited(), asked.connection_id)
    edge.push(pushes, effects)
    return {"ok": True}


@hub_event("disconnected", "disconnected", category="connections")
async def disconnected(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
    """End a connection's lease. May come late, twice, or never."""
    asked = invocations.parse(invocation)
    effects = await (await chat()).connections.disconnected(asked.user_id, asked.connection_id)
    edge.push(pushes, effects)
    return {"ok": True}
