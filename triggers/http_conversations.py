"""HTTP routes about conversations and their members."""

import base64
import binascii
import json

import azure.functions as func

from shared.bootstrap import chat
from shared.domain.conversation import MAX_MEMBERS, title_of
from shared.domain.errors import InvalidError
from shared.domain.ids import ConversationId, is_conversation_id, user_id
from shared.domain.live import InboxEntry
from shared.domain.times import from_ms
from shared.services.inbox import InboxItem
from triggers import decode, edge, wire
from triggers.decode import Fields
from triggers.edge import PUSHES, push, reply
from triggers.errors import as_problem

bp = func.Blueprint()

_MAX_PAGE = 100
_DEFAULT_PAGE = 20
_LAST_MS = 253_402_300_799_000  # the end of the year 9999


@bp.function_name("create_conversation")
@bp.route("conversations", methods=["POST"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def create_conversation(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Start a conversation: {kind, memberIds, title?}. 201, or 200 for an existing direct one.

    Refusals: 400; 403 blocked; 404 user_not_found; 409 conversation_full.
    """
    call = await edge.call_by(req, "conversations")
    fields = decode.json_object(req.get_body())
    kind = fields.get("kind")
    if kind not in ("direct", "group"):
        raise InvalidError("kind: must be direct or group")
    members = decode.user_ids(fields.get("memberIds"), field="memberIds", most=MAX_MEMBERS * 2)
    started = await (await chat()).conversations.start(
        call, kind=kind, member_ids=members, title=_title(fields)
    )
    push(pushes, started.effects)
    return reply(
        wire.conversation(started.conversation, started.latest), 201 if started.created else 200
    )


@bp.function_name("list_conversations")
@bp.route("conversations", methods=["GET"])
@as_problem
async def list_conversations(req: func.HttpRequest) -> func.HttpResponse:
    """List the caller's inbox, newest activity first. 200 {items, continuation}; 400."""
    call = await edge.call_by(req)
    limit = decode.query_number(req.params, "limit", low=1, high=_MAX_PAGE) or _DEFAULT_PAGE
    after = _cursor(req.params.get("continuation"))
    page = await (await chat()).inbox.list_conversations(call, limit=limit, after=after)
    continuation = _continuation(page.continuation) if page.continuation else None
    return reply({"items": [_inbox_item(i) for i in page.items], "continuation": continuation})


@bp.function_name("get_conversation")
@bp.route("conversations/{conversationId}", methods=["GET"])
@as_problem
async def get_conversation(req: func.HttpRequest) -> func.HttpResponse:
    """Show a conversation with everyone's receipts. 200; 404."""
    call = await edge.call_by(req)
    opened = await (await chat()).conversations.open(call, _conversation_id(req))
    shown = wire.conversation(opened.conversation, opened.latest)
    return reply({**shown, "receipts": [wire.receipt(one) for one in opened.receipts]})


@bp.function_name("rename_conversation")
@bp.route("conversations/{conversationId}", methods=["PATCH"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def rename_conversation(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Change a group's title: {title}. 200 conversation; 400; 403; 404."""
    call = await edge.call_by(req)
    title = title_of(decode.json_object(req.get_body()).get("title"))
    changed = await (await chat()).conversations.rename(call, _conversation_id(req), title=title)
    push(pushes, changed.effects)
    return reply(wire.conversation(changed.conversation, changed.latest))


@bp.function_name("add_members")
@bp.route("conversations/{conversationId}/members", methods=["POST"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def add_members(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Add users to a group: {userIds}. 200 conversation; 400; 403; 404; 409 conversation_full."""
    call = await edge.call_by(req)
    asked = decode.json_object(req.get_body()).get("userIds")
    users = decode.user_ids(asked, field="userIds", most=MAX_MEMBERS * 2)
    if not users:
        raise InvalidError("userIds: give at least one user id")
    changed = await (await chat()).conversations.add_members(
        call, _conversation_id(req), user_ids=users
    )
    push(pushes, changed.effects)
    return reply(wire.conversation(changed.conversation, changed.latest))


@bp.function_name("remove_member")
@bp.route("conversations/{conversationId}/members/{userId}", methods=["DELETE"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def remove_member(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Remove a member; one's own id leaves. 204; 403; 404."""
    call = await edge.call_by(req)
    leaving = user_id(req.route_params.get("userId"), field="userId")
    changed = await (await chat()).conversations.remove_member(
        call, _conversation_id(req), user_id=leaving
    )
    push(pushes, changed.effects)
    return reply(status=204)


@bp.function_name("mute_conversation")
@bp.route("conversations/{conversationId}/mute", methods=["PUT"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def mute_conversation(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Turn the caller's notifications off until a time: {until: ms|null}. 200; 400; 404."""
    call = await edge.call_by(req)
    fields = decode.json_object(req.get_body())
    if "until" not in fields:
        raise InvalidError("until: must be epoch milliseconds or null")
    until = decode.whole_number(fields, "until", low=0, high=_LAST_MS)
    changed = await (await chat()).conversations.mute(
        call, _conversation_id(req), until=None if until is None else from_ms(until)
    )
    push(pushes, changed.effects)
    return reply({"conversationId": changed.conversation.id, "until": until})


def _conversation_id(req: func.HttpRequest) -> ConversationId:
    return decode.conversation_id(req.route_params.get("conversationId"))


def _title(fields: Fields) -> str:
    title = fields.get("title")
    return "" if title is None else title_of(title)


def _inbox_item(item: InboxItem) -> wire.Json:
    row = item.row
    return {
        "conversation": wire.conversation(row.conversation, row.head.sequence),
        "lastMessage": wire.message(row.last) if row.last else None,
        "unreadCount": item.unread_count,
        "receipt": wire.receipt(row.receipt),
        "muted": item.muted,
    }


def _continuation(entry: InboxEntry) -> str:
    text = json.dumps([entry.activity_ms, entry.conversation_id])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _cursor(text: str | None) -> InboxEntry | None:
    if not text:
        return None
    try:
        activity_ms, identifier = json.loads(base64.urlsafe_b64decode(text.encode()))
    except (ValueError, binascii.Error, TypeError, RecursionError) as error:
        raise InvalidError("continuation: is not one of ours") from error
    if not isinstance(activity_ms, int) or not 0 <= activity_ms <= _LAST_MS:
        raise InvalidError("continuation: is not one of ours")
    if not is_conversation_id(identifier):
        raise InvalidError("continuation: is not one of ours")
    return InboxEntry(ConversationId(identifier), activity_ms)
