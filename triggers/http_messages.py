"""HTTP routes about messages, receipts, sync and files."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared.bootstrap import chat
from triggers.bindings import PUSHES
from triggers.errors import as_problem
from triggers.lazy import lazily

if TYPE_CHECKING:
    from triggers import cursors, decode, drafts, edge, wire
else:
    cursors = lazily("triggers.cursors")
    decode = lazily("triggers.decode")
    drafts = lazily("triggers.drafts")
    edge = lazily("triggers.edge")
    wire = lazily("triggers.wire")

bp = func.Blueprint()


@bp.function_name("list_messages")
@bp.route("conversations/{conversationId}/messages", methods=["GET"])
@as_problem
async def list_messages(req: func.HttpRequest) -> func.HttpResponse:
    """Page through history by sequence: before, after, limit. 200 {items, latestSequence}."""
    call = await edge.call_by(req)
    page = await (await chat()).history.list_messages(
        call,
        decode.route_conversation(req.route_params),
        before=decode.query_sequence(req.params, "before"),
        after=decode.query_sequence(req.params, "after"),
        limit=decode.page_size(req.params, default=50),
    )
    return edge.reply({"items": wire.messages(page.messages), "latestSequence": page.latest})


@bp.function_name("post_message")
@bp.route("conversations/{conversationId}/messages", methods=["POST"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def post_message(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Post a message. 201 {message}, 200 for a repeat; 400; 403 blocked; 404; 413; 429."""
    call = await edge.call_by(req, "messages")
    conversation_id = decode.route_conversation(req.route_params)
    draft = drafts.parse(decode.json_object(req.get_body()))
    posted = await (await chat()).posting.post_message(call, conversation_id, draft)
    edge.push(pushes, posted.effects)
    return edge.reply({"message": wire.message(posted.message)}, 200 if posted.repeated else 201)


@bp.function_name("put_receipt")
@bp.route("conversations/{conversationId}/receipt", methods=["PUT"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def put_receipt(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Advance the caller's watermarks: {delivered?, read?}. 200 receipt; 400; 404."""
    call = await edge.call_by(req)
    fields = decode.json_object(req.get_body())
    delivered, read = decode.acknowledged(fields)
    receipt, effects = await (await chat()).receipts.acknowledge(
        call, decode.route_conversation(req.route_params), delivered=delivered, read=read
    )
    edge.push(pushes, effects)
    return edge.reply(wire.receipt(receipt))


@bp.function_name("sync")
@bp.route("sync", methods=["POST"])
@as_problem
async def sync(req: func.HttpRequest) -> func.HttpResponse:
    """Say what the caller lacks: {positions, since?, limit?}.

    200 {items, more, cursor, reset?, removed?}; 400.
    """
    call = await edge.call_by(req)
    fields = decode.json_object(req.get_body())
    limit = decode.whole_number(fields, "limit", low=1, high=100) or 50
    positions = decode.positions(fields)
    since = cursors.parse_since(fields, call.user_id)
    synced = await (await chat()).sync.sync(call, positions, limit=limit, since=since)
    cursor = cursors.sync_text(synced.cursor, call.user_id)
    return edge.reply({**wire.synced(synced), "cursor": cursor})


@bp.function_name("grant_attachment")
@bp.route("conversations/{conversationId}/attachments", methods=["POST"])
@as_problem
async def grant_attachment(req: func.HttpRequest) -> func.HttpResponse:
    """Give leave to upload a file: {fileName, contentType, sizeBytes}.

    201 {attachmentId, uploadUrl, headers, expiresAt}; 400; 404; 413; 415; 429.
    """
    call = await edge.call_by(req, "uploads")
    fields = decode.json_object(req.get_body())
    attachment_id, grant = await (await chat()).attachments.grant_upload(
        call,
        decode.route_conversation(req.route_params),
        file_name=fields.get("fileName", ""),
        content_type=fields.get("contentType", ""),
        size_bytes=fields.get("sizeBytes", 0),
    )
    return edge.reply(wire.granted(attachment_id, grant), 201)


@bp.function_name("get_attachment")
@bp.route("conversations/{conversationId}/attachments/{attachmentId}", methods=["GET"])
@as_problem
async def get_attachment(req: func.HttpRequest) -> func.HttpResponse:
    """Lead to a file, or with `size=thumbnail` to its small copy.

    302 to a short-lived URL; 404; 409 not_ready; 410 rejected.
    """
    call = await edge.call_by(req)
    attachment_id = decode.attachment_id(req.route_params.get("attachmentId"))
    small = req.params.get("size") == "thumbnail"
    url = await (await chat()).attachments.read_url(
        call, decode.route_conversation(req.route_params), attachment_id, thumbnail=small
    )
    return edge.reply(status=302, headers={"Location": url})
