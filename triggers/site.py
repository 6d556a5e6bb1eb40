"""What only the website may call: it owns the users, chat keeps a read model of them."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared.bootstrap import chat
from triggers.errors import as_problem
from triggers.lazy import lazily

if TYPE_CHECKING:
    from triggers import edge, profiles
else:
    edge = lazily("triggers.edge")
    profiles = lazily("triggers.profiles")

bp = func.Blueprint()


@bp.function_name("feed_users")
@bp.route("site/users", methods=["POST"])
@as_problem
async def feed_users(req: func.HttpRequest) -> func.HttpResponse:
    """Take over users: {items: [{userId, displayName, avatarUrl, contacts, blocked}]}. 204; 403."""
    await edge.require_site(req)
    await (await chat()).accounts.feed(profiles.posted(req.get_body()))
    return edge.reply(status=204)


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
    await (await chat()).accounts.feed(profiles.changed(changes))
