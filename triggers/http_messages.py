"""HTTP routes about messages, receipts, sync and files."""

import azure.functions as func

from shared.bootstrap import chat
from shared.domain.errors import InvalidError
from shared.domain.ids import MAX_SEQUENCE, ConversationId, Sequence, is_conversation_id
from shared.domain.receipt import check_acknowledgement
from shared.domain.times import to_ms
from shared.services.history import SyncItem
from triggers import decode, drafts, edge, wire
from triggers.decode import Fields
from triggers.edge import PUSHES, push, reply
from triggers.errors import as_problem

bp = func.Blueprint()

_MAX_PAGE = 100
_DEFAULT_PAGE = 50
_MAX_POSITIONS = 10_000


@bp.function_name("list_messages")
@bp.route("conversations/{conversationId}/messages", methods=["GET"])
@as_problem
async def list_messages(req: func.HttpRequest) -> func.HttpResponse:
    """Page through history by sequence: before, after, limit. 200 {items, latestSequence}."""
    call = await edge.call_by(req)
    before, after = _query_sequence(req, "before"), _query_sequence(req, "after")
    limit = decode.query_number(req.params, "limit", low=1, high=_MAX_PAGE) or _DEFAULT_PAGE
    page = await (await chat()).history.list_messages(
        call, _conversation_id(req), before=before, after=after, limit=limit
    )
    return reply({"items": wire.messages(page.messages), "latestSequence": page.latest})


@bp.function_name("post_message")
@bp.route("conversations/{conversationId}/messages", methods=["POST"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def post_message(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Post a message. 201 {message}, 200 for a repeat; 400; 403 blocked; 404; 413; 429."""
    call = await edge.call_by(req, "messages")
    conversation_id = _conversation_id(req)
    draft = drafts.parse(decode.json_object(req.get_body()))
    posted = await (await chat()).posting.post_message(call, conversation_id, draft)
    push(pushes, posted.effects)
    return reply({"message": wire.message(posted.message)}, 200 if posted.repeated else 201)


@bp.function_name("put_receipt")
@bp.route("conversations/{conversationId}/receipt", methods=["PUT"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def put_receipt(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Advance the caller's watermarks: {delivered?, read?}. 200 receipt; 400; 404."""
    call = await edge.call_by(req)
    fields = decode.json_object(req.get_body())
    delivered, read = acknowledged(fields)
    receipt, effects = await (await chat()).receipts.acknowledge(
        call, _conversation_id(req), delivered=delivered, read=read
    )
    push(pushes, effects)
    return reply(wire.receipt(receipt))


@bp.function_name("sync")
@bp.route("sync", methods=["POST"])
@as_problem
async def sync(req: func.HttpRequest) -> func.HttpResponse:
    """Say what the caller lacks: {positions, limit?}. 200 {items, more}; 400."""
    call = await edge.call_by(req)
    fields = decode.json_object(req.get_body())
    limit = decode.whole_number(fields, "limit", low=1, high=_MAX_PAGE) or _DEFAULT_PAGE
    positions = _positions(fields.get("positions", {}))
    items, more = await (await chat()).history.sync(call, positions, limit=limit)
    return reply({"items": [_sync_item(item) for item in items], "more": more})


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
        _conversation_id(req),
        file_name=fields.get("fileName", ""),
        content_type=fields.get("contentType", ""),
        size_bytes=fields.get("sizeBytes", 0),
    )
    granted = {
        "attachmentId": attachment_id,
        "uploadUrl": grant.url,
        "headers": dict(grant.headers),
        "expiresAt": to_ms(grant.expires_at),
    }
    return reply(granted, 201)


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
        call, _conversation_id(req), attachment_id, thumbnail=small
    )
    return reply(status=302, headers={"Location": url})


def acknowledged(fields: Fields) -> tuple[Sequence | None, Sequence | None]:
    """Return the watermarks *fields* ask for; whether they exist is found out later."""
    delivered, read = decode.sequence(fields, "delivered"), decode.sequence(fields, "read")
    check_acknowledgement(delivered, read, latest=Sequence(MAX_SEQUENCE))
    return delivered, read


def _conversation_id(req: func.HttpRequest) -> ConversationId:
    return decode.conversation_id(req.route_params.get("conversationId"))


def _query_sequence(req: func.HttpRequest, name: str) -> Sequence | None:
    number = decode.query_number(req.params, name, low=0, high=MAX_SEQUENCE)
    return None if number is None else Sequence(number)


def _positions(value: object) -> dict[ConversationId, Sequence]:
    fields = decode.as_object(value, field="positions")
    if len(fields) > _MAX_POSITIONS:
        raise InvalidError(f"positions: at most {_MAX_POSITIONS} conversations")
    found: dict[ConversationId, Sequence] = {}
    for name in fields:
        position = decode.sequence(fields, name)
        if position is None:
            raise InvalidError("positions: each must be a sequence")
        if is_conversation_id(name):
            found[ConversationId(name)] = position
    return found


def _sync_item(item: SyncItem) -> wire.Json:
    return {
        "conversationId": item.conversation_id,
        "latestSequence": item.latest,
        "messages": wire.messages(item.messages),
        "complete": item.complete,
        "receipt": wire.receipt(item.receipt),
    }
