"""HTTP routes about conversations and their members."""

from typing import TYPE_CHECKING

import azure.functions as func

from triggers.lazy import cursors, decode, encode, http_support, push
from triggers.routes import route

if TYPE_CHECKING:
    from shared.composition import Chat
    from shared.ports import Call

bp = func.Blueprint()


@route(bp, "POST", "conversations", limit="conversations", looks_up=True)
async def create_conversation(
    chat: "Chat", call: "Call", req: func.HttpRequest, pushes: func.Out[str]
) -> func.HttpResponse:
    """Start a conversation: {kind, memberIds, title?}. 201, or 200 for an existing direct one.

    Refusals: 400; 403 blocked; 404 user_not_found; 409 conversation_full.
    """
    fields = decode.json_object(req.get_body())
    started = await chat.new_conversations.start(
        call,
        kind=decode.kind(fields),
        member_ids=decode.members(fields, "memberIds"),
        title=decode.title(fields, default=""),
    )
    push.send(pushes, started.effects)
    return http_support.reply(
        encode.conversation(started.conversation, started.latest), 201 if started.created else 200
    )


@route(bp, "GET", "conversations")
async def list_conversations(
    chat: "Chat", call: "Call", req: func.HttpRequest
) -> func.HttpResponse:
    """List the caller's inbox, newest activity first. 200 {items, continuation}; 400."""
    limit = decode.page_size(req.params, default=20)
    after = cursors.parse(req.params.get("continuation"))
    page = await chat.inbox.list_conversations(call, limit=limit, after=after)
    continuation = cursors.text(page.continuation) if page.continuation else None
    items = [encode.inbox_item(item) for item in page.items]
    return http_support.reply({"items": items, "continuation": continuation})


@route(bp, "GET", "conversations/{conversationId}")
async def get_conversation(chat: "Chat", call: "Call", req: func.HttpRequest) -> func.HttpResponse:
    """Show a conversation with everyone's receipts. 200; 404."""
    opened = await chat.history.open(call, decode.route_conversation(req.route_params))
    conversation = encode.conversation(opened.conversation, opened.latest)
    receipts = [encode.receipt(receipt) for receipt in opened.receipts]
    return http_support.reply({**conversation, "receipts": receipts})


@route(bp, "PATCH", "conversations/{conversationId}")
async def rename_conversation(
    chat: "Chat", call: "Call", req: func.HttpRequest, pushes: func.Out[str]
) -> func.HttpResponse:
    """Change a group's title: {title}. 200 conversation; 400; 403; 404."""
    title = decode.title(decode.json_object(req.get_body()))
    changed = await chat.conversations.rename(
        call, decode.route_conversation(req.route_params), title=title
    )
    push.send(pushes, changed.effects)
    return http_support.reply(encode.conversation(changed.conversation, changed.latest))


@route(bp, "POST", "conversations/{conversationId}/members", looks_up=True)
async def add_members(
    chat: "Chat", call: "Call", req: func.HttpRequest, pushes: func.Out[str]
) -> func.HttpResponse:
    """Add users to a group: {userIds}. 200 conversation; 400; 403; 404; 409 conversation_full."""
    changed = await chat.conversations.add_members(
        call,
        decode.route_conversation(req.route_params),
        user_ids=decode.members(decode.json_object(req.get_body()), "userIds"),
    )
    push.send(pushes, changed.effects)
    return http_support.reply(encode.conversation(changed.conversation, changed.latest))


@route(bp, "DELETE", "conversations/{conversationId}/members/{userId}")
async def remove_member(
    chat: "Chat", call: "Call", req: func.HttpRequest, pushes: func.Out[str]
) -> func.HttpResponse:
    """Remove a member; the caller's own id leaves the group. 204; 403; 404."""
    changed = await chat.conversations.remove_member(
        call,
        decode.route_conversation(req.route_params),
        user_id=decode.route_user(req.route_params),
    )
    push.send(pushes, changed.effects)
    return http_support.reply(status=204)


@route(bp, "PUT", "conversations/{conversationId}/mute")
async def mute_conversation(
    chat: "Chat", call: "Call", req: func.HttpRequest, pushes: func.Out[str]
) -> func.HttpResponse:
    """Turn the caller's notifications off until a time: {until: ms|null}. 200; 400; 404."""
    until = decode.mute_until(decode.json_object(req.get_body()))
    conversation_id = decode.route_conversation(req.route_params)
    push.send(pushes, await chat.muting.mute(call, conversation_id, until=until))
    return http_support.reply(encode.muted(conversation_id, until))
