"""HTTP routes about conversations and their members."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared.bootstrap import chat
from triggers.bindings import PUSHES
from triggers.errors import as_problem
from triggers.lazy import lazily

if TYPE_CHECKING:
    from triggers import cursors, decode, edge, wire
else:
    cursors = lazily("triggers.cursors")
    decode = lazily("triggers.decode")
    edge = lazily("triggers.edge")
    wire = lazily("triggers.wire")

bp = func.Blueprint()


@bp.function_name("create_conversation")
@bp.route("conversations", methods=["POST"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def create_conversation(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Start a conversation: {kind, memberIds, title?}. 201, or 200 for an existing direct one.

    Refusals: 400; 403 blocked; 404 user_not_found; 409 conversation_full.
    """
    call = await edge.lookup_by(req, "conversations")
    fields = decode.json_object(req.get_body())
    started = await (await chat()).new_conversations.start(
        call,
        kind=decode.kind(fields),
        member_ids=decode.members(fields, "memberIds"),
        title=decode.title(fields, default=""),
    )
    edge.push(pushes, started.effects)
    return edge.reply(
        wire.conversation(started.conversation, started.latest), 201 if started.created else 200
    )


@bp.function_name("list_conversations")
@bp.route("conversations", methods=["GET"])
@as_problem
async def list_conversations(req: func.HttpRequest) -> func.HttpResponse:
    """List the caller's inbox, newest activity first. 200 {items, continuation}; 400."""
    call = await edge.call_by(req)
    limit = decode.page_size(req.params, default=20)
    after = cursors.parse(req.params.get("continuation"))
    page = await (await chat()).inbox.list_conversations(call, limit=limit, after=after)
    continuation = cursors.text(page.continuation) if page.continuation else None
    items = [wire.inbox_item(item) for item in page.items]
    return edge.reply({"items": items, "continuation": continuation})


@bp.function_name("get_conversation")
@bp.route("conversations/{conversationId}", methods=["GET"])
@as_problem
async def get_conversation(req: func.HttpRequest) -> func.HttpResponse:
    """Show a conversation with everyone's receipts. 200; 404."""
    call = await edge.call_by(req)
    opened = await (await chat()).history.open(call, decode.route_conversation(req.route_params))
    shown = wire.conversation(opened.conversation, opened.latest)
    return edge.reply({**shown, "receipts": [wire.receipt(one) for one in opened.receipts]})


@bp.function_name("rename_conversation")
@bp.route("conversations/{conversationId}", methods=["PATCH"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def rename_conversation(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Change a group's title: {title}. 200 conversation; 400; 403; 404."""
    call = await edge.call_by(req)
    title = decode.title(decode.json_object(req.get_body()))
    changed = await (await chat()).conversations.rename(
        call, decode.route_conversation(req.route_params), title=title
    )
    edge.push(pushes, changed.effects)
    return edge.reply(wire.conversation(changed.conversation, changed.latest))


@bp.function_name("add_members")
@bp.route("conversations/{conversationId}/members", methods=["POST"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def add_members(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Add users to a group: {userIds}. 200 conversation; 400; 403; 404; 409 conversation_full."""
    call = await edge.lookup_by(req)
    changed = await (await chat()).conversations.add_members(
        call,
        decode.route_conversation(req.route_params),
        user_ids=decode.members(decode.json_object(req.get_body()), "userIds"),
    )
    edge.push(pushes, changed.effects)
    return edge.reply(wire.conversation(changed.conversation, changed.latest))


@bp.function_name("remove_member")
@bp.route("conversations/{conversationId}/members/{userId}", methods=["DELETE"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def remove_member(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Remove a member; one's own id leaves. 204; 403; 404."""
    call = await edge.call_by(req)
    changed = await (await chat()).conversations.remove_member(
        call,
        decode.route_conversation(req.route_params),
        user_id=decode.route_user(req.route_params),
    )
    edge.push(pushes, changed.effects)
    return edge.reply(status=204)


@bp.function_name("mute_conversation")
@bp.route("conversations/{conversationId}/mute", methods=["PUT"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def mute_conversation(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Turn the caller's notifications off until a time: {until: ms|null}. 200; 400; 404."""
    call = await edge.call_by(req)
    until = decode.mute_until(decode.json_object(req.get_body()))
    conversation_id = decode.route_conversation(req.route_params)
    edge.push(pushes, await (await chat()).muting.mute(call, conversation_id, until=until))
    return edge.reply(wire.muted(conversation_id, until))
