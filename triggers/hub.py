"""The SignalR hub `chat`: its methods, and the start and end of its connections.

Every method takes one object and returns one object, `{ok: true, ...}` or `{ok: false, error}`.
The extension hands over an invocation as JSON text; its shape is in docs/protocol.md#invocations.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import azure.functions as func

from shared import bootstrap
from shared.domain.errors import ChatError
from triggers.bindings import HUB, PUSHES, SIGNALR
from triggers.errors import HubHandler, as_result
from triggers.lazy import decode, drafts, encode, invocations, push

if TYPE_CHECKING:
    from shared.composition import Chat
    from shared.ports import Call
    from triggers.decode import Fields

type Method = Callable[..., Awaitable[dict[str, Any]]]

bp = func.Blueprint()


def hub_event(event: str, *, category: str = "messages") -> Callable[[HubHandler], Any]:
    """Register a handler of one event of the hub, with the binding that its pushes leave by."""

    def register(handler: HubHandler) -> Any:  # noqa: ANN401  # the library's own builder
        function = bp.generic_output_binding(**PUSHES)(as_result(handler))
        return bp.generic_trigger(
            arg_name="invocation",
            type="signalRTrigger",
            hubName=HUB,
            category=category,
            event=event,
            connectionStringSetting=SIGNALR,
        )(function)

    return register


def hub_method(
    event: str, *, limit: str = "other", names_message: bool = False
) -> Callable[[Method], Any]:
    """Register a handler of a method: `handler(chat, call, argument, pushes)`.

    The caller is admitted before the argument is read. What the handler returns is sent beside
    `ok: true`.

    Args:
        limit: The kind of bucket that the call takes a token of: a field of `Limits`.
        names_message: A refusal names the client's message id, as far as it can be read.
    """

    def register(handler: Method) -> Any:  # noqa: ANN401  # the library's own builder
        async def answer(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
            message = invocations.parse(invocation)
            try:
                call = await message.call(limit)
                chat = await bootstrap.chat()
                return {"ok": True, **await handler(chat, call, message.argument, pushes)}
            except ChatError as error:
                if names_message:
                    error.client_message_id = message.client_message_id
                raise

        answer.__name__ = handler.__name__
        answer.__doc__ = handler.__doc__
        return hub_event(event)(answer)

    return register


@hub_method("sendMessage", limit="messages", names_message=True)
async def send_message(
    chat: "Chat", call: "Call", argument: "Fields", pushes: func.Out[str]
) -> dict[str, Any]:
    """Store a message and push it: {conversationId, clientMessageId, body, ...} -> {message}."""
    conversation_id = decode.conversation_id(argument.get("conversationId"))
    posted = await chat.posting.post_message(call, conversation_id, drafts.parse(argument))
    push.send(pushes, posted.effects)
    return {"message": encode.message(posted.message)}


@hub_method("acknowledge")
async def acknowledge(
    chat: "Chat", call: "Call", argument: "Fields", pushes: func.Out[str]
) -> dict[str, Any]:
    """Advance the caller's watermarks: {conversationId, delivered?, read?} -> {receipt}."""
    conversation_id = decode.conversation_id(argument.get("conversationId"))
    delivered, read = decode.acknowledged(argument)
    receipt, effects = await chat.receipts.acknowledge(
        call, conversation_id, delivered=delivered, read=read
    )
    push.send(pushes, effects)
    return {"receipt": encode.receipt(receipt)}


@hub_method("heartbeat")
async def heartbeat(
    chat: "Chat", call: "Call", _argument: "Fields", pushes: func.Out[str]
) -> dict[str, Any]:
    """Renew the connection's lease: {} -> {serverTime, activity, nextInMs, reconnectWithinMs}."""
    reply, effects = await chat.presences.heartbeat(call)
    push.send(pushes, effects)
    return encode.heartbeat_reply(reply, chat.settings.timing)


@hub_method("setTyping")
async def set_typing(
    chat: "Chat", call: "Call", argument: "Fields", pushes: func.Out[str]
) -> dict[str, Any]:
    """Say that the caller types, or stopped: {conversationId, typing} -> {}."""
    conversation_id = decode.conversation_id(argument.get("conversationId"))
    typing = decode.flag(argument, "typing")
    push.send(pushes, await chat.typing.set_typing(call, conversation_id, typing=typing))
    return {}


@hub_method("watchPresence")
async def watch_presence(
    chat: "Chat", call: "Call", argument: "Fields", pushes: func.Out[str]
) -> dict[str, Any]:
    """Watch exactly these users from this connection: {userIds} -> {items}."""
    connection_id, users = invocations.connection_of(call), invocations.watched(argument)
    presences, effects = await chat.presences.watch(call, connection_id, users)
    push.send(pushes, effects)
    return {"items": [encode.presence(presence) for presence in presences]}


@hub_event("connected", category="connections")
async def connected(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
    """Give a new connection its lease. May come late, twice, or never."""
    message = invocations.parse(invocation)
    connections = (await bootstrap.chat()).connections
    push.send(pushes, await connections.connected(message.unlimited(), message.connection_id))
    return {"ok": True}


@hub_event("disconnected", category="connections")
async def disconnected(invocation: str, pushes: func.Out[str]) -> dict[str, Any]:
    """End a connection's lease. May come late, twice, or never."""
    message = invocations.parse(invocation)
    connections = (await bootstrap.chat()).connections
    push.send(pushes, await connections.disconnected(message.user_id, message.connection_id))
    return {"ok": True}
