"""Calls of the website alone: it owns the users, and the chat keeps a read model of them."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared import bootstrap
from triggers.lazy import http_support, profiles
from triggers.routes import site_route

if TYPE_CHECKING:
    from shared.composition import Chat

bp = func.Blueprint()


@site_route(bp, "POST", "site/users")
async def feed_users(chat: "Chat", req: func.HttpRequest) -> func.HttpResponse:
    """Take over users: {items: [{userId, displayName, avatarUrl, contacts, blocked}]}. 204; 403."""
    await chat.accounts.feed(profiles.posted(req.get_body()))
    return http_support.reply(status=204)


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
    await (await bootstrap.chat()).accounts.feed(profiles.changed(changes))
