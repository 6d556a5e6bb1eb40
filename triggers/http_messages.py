"""HTTP routes about messages, receipts, sync and files."""

from typing import TYPE_CHECKING

import azure.functions as func

from triggers.lazy import cursors, decode, drafts, encode, http_support, push
from triggers.routes import route

if TYPE_CHECKING:
    from shared.composition import Chat
    from shared.ports import Call

bp = func.Blueprint()


@route(bp, "GET", "conversations/{conversationId}/messages")
async def list_messages(chat: "Chat", call: "Call", req: func.HttpRequest) -> func.HttpResponse:
    """Page through history by sequence: before, after, limit. 200 {items, latestSequence}."""
    page = await chat.history.list_messages(
        call,
        decode.route_conversation(req.route_params),
        before=decode.query_sequence(req.params, "before"),
        after=decode.query_sequence(req.params, "after"),
        limit=decode.page_size(req.params, default=50),
    )
    items = encode.messages(page.messages)
    return http_support.reply({"items": items, "latestSequence": page.latest})


@route(bp, "POST", "conversations/{conversationId}/messages", limit="messages")
async def post_message(
    chat: "Chat", call: "Call", req: func.HttpRequest, pushes: func.Out[str]
) -> func.HttpResponse:
    """Post a message. 201 {message}, 200 for a repeat; 400; 403 blocked; 404; 413; 429."""
    conversation_id = decode.route_conversation(req.route_params)
    draft = drafts.parse(decode.json_object(req.get_body()))
    posted = await chat.posting.post_message(call, conversation_id, draft)
    push.send(pushes, posted.effects)
    message = encode.message(posted.message)
    return http_support.reply({"message": message}, 200 if posted.repeated else 201)


@route(bp, "PUT", "conversations/{conversationId}/receipt")
async def put_receipt(
    chat: "Chat", call: "Call", req: func.HttpRequest, pushes: func.Out[str]
) -> func.HttpResponse:
    """Advance the caller's watermarks: {delivered?, read?}. 200 receipt; 400; 404."""
    delivered, read = decode.acknowledged(decode.json_object(req.get_body()))
    receipt, effects = await chat.receipts.acknowledge(
        call, decode.route_conversation(req.route_params), delivered=delivered, read=read
    )
    push.send(pushes, effects)
    return http_support.reply(encode.receipt(receipt))


@route(bp, "POST", "sync")
async def sync(chat: "Chat", call: "Call", req: func.HttpRequest) -> func.HttpResponse:
    """Say what the caller lacks: {positions, since?, limit?}.

    200 {items, more, cursor, reset?, removed?}; 400.
    """
    fields = decode.json_object(req.get_body())
    limit = decode.whole_number(fields, "limit", low=1, high=100) or 50
    positions = decode.positions(fields)
    since = cursors.parse_since(fields, call.user_id)
    synced = await chat.sync.sync(call, positions, limit=limit, since=since)
    cursor = cursors.sync_text(synced.cursor, call.user_id)
    return http_support.reply({**encode.synced(synced), "cursor": cursor})


@route(bp, "POST", "conversations/{conversationId}/attachments", limit="uploads")
async def grant_attachment(chat: "Chat", call: "Call", req: func.HttpRequest) -> func.HttpResponse:
    """Allow the upload of one file: {fileName, contentType, sizeBytes}.

    201 {attachmentId, uploadUrl, headers, expiresAt}; 400; 404; 413; 415; 429.
    """
    fields = decode.json_object(req.get_body())
    attachment_id, grant = await chat.attachments.grant_upload(
        call,
        decode.route_conversation(req.route_params),
        file_name=fields.get("fileName", ""),
        content_type=fields.get("contentType", ""),
        size_bytes=fields.get("sizeBytes", 0),
    )
    return http_support.reply(encode.granted(attachment_id, grant), 201)


@route(bp, "GET", "conversations/{conversationId}/attachments/{attachmentId}")
async def get_attachment(chat: "Chat", call: "Call", req: func.HttpRequest) -> func.HttpResponse:
    """Lead to a file, or with `size=thumbnail` to its small copy.

    302 to a short-lived URL; 404; 409 not_ready; 410 rejected.
    """
    attachment_id = decode.attachment_id(req.route_params.get("attachmentId"))
    small = req.params.get("size") == "thumbnail"
    url = await chat.attachments.read_url(
        call, decode.route_conversation(req.route_params), attachment_id, thumbnail=small
    )
    return http_support.reply(status=302, headers={"Location": url})
