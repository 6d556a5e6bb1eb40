"""What only the website may call: it owns the users, chat keeps a read model of them."""

import json
from typing import Any, Final

import azure.functions as func

from shared.bootstrap import chat
from shared.domain.errors import InvalidError
from shared.domain.ids import user_id
from shared.domain.user import MAX_URL_CHARACTERS, display_name
from shared.services.accounts import Profile
from triggers import decode, edge
from triggers.decode import Fields
from triggers.edge import reply
from triggers.errors import as_problem

bp = func.Blueprint()

_MOST_USERS: Final = 100
_MOST_CONTACTS: Final = 5_000


@bp.function_name("feed_users")
@bp.route("site/users", methods=["POST"])
@as_problem
async def feed_users(req: func.HttpRequest) -> func.HttpResponse:
    """Take over users: {items: [{userId, displayName, avatarUrl, contacts, blocked}]}. 204; 403."""
    await edge.require_site(req)
    items = decode.json_object(req.get_body()).get("items")
    if not isinstance(items, list) or len(items) > _MOST_USERS:
        raise InvalidError(f"items: must be a list of at most {_MOST_USERS} users")
    await (await chat()).accounts.feed([profile(item) for item in items])
    return reply(status=204)


@bp.function_name("users_changed")
@bp.generic_trigger(
    arg_name="changes",
    type="sqlTrigger",
    tableName="%CHAT_SQL_TABLE%",
    connectionStringSetting="SqlConnection",
)
async def users_changed(changes: str) -> None:
    """Take over rows that changed in the website's Azure SQL table of users.

    The trigger's JSON is a list of {Operation, Item}; a deleted user (Operation 2) keeps what was
    written. Source: docs/operations.md#feeding-users.
    """
    rows = json.loads(changes)
    live = [row["Item"] for row in rows if row.get("Operation") != _DELETED]
    await (await chat()).accounts.feed([profile(_unpacked(item)) for item in live])


_DELETED: Final = 2


def profile(value: object) -> Profile:
    """Return what the website says of one user.

    Raises:
        InvalidError: A field is missing or of the wrong kind.
    """
    fields = decode.as_object(value, field="items")
    identifier = user_id(fields.get("userId"), field="userId")
    return Profile(
        identifier,
        display_name(fields.get("displayName"), fallback=identifier),
        decode.text(fields, "avatarUrl", longest=MAX_URL_CHARACTERS, default=""),
        contacts=_ids(fields, "contacts"),
        blocked=_ids(fields, "blocked"),
    )


def _ids(fields: Fields, name: str) -> tuple[Any, ...]:
    return tuple(decode.user_ids(fields.get(name, []), field=name, most=_MOST_CONTACTS))


def _unpacked(item: dict[str, Any]) -> dict[str, Any]:
    # SQL has no lists: contacts and blocks come as JSON text, names in the table's own case.
    fields = {name[:1].lower() + name[1:]: value for name, value in item.items()}
    for name in ("contacts", "blocked"):
        if isinstance(fields.get(name), str):
            fields[name] = json.loads(fields[name])
    return {name: value for name, value in fields.items() if value is not None}
