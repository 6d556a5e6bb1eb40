"""Export and erasure of one user's data: the website calls again until all parts are done."""

from typing import TYPE_CHECKING

import azure.functions as func

from triggers.lazy import decode, http_support, push, user_data_json
from triggers.routes import site_route

if TYPE_CHECKING:
    from shared.composition import Chat

bp = func.Blueprint()


@site_route(bp, "POST", "site/users/{userId}/export")
async def export_user(chat: "Chat", req: func.HttpRequest) -> func.HttpResponse:
    """Return one part of a user's data: {continuation?}. 200; 400; 403; 404."""
    user_id = decode.route_user(req.route_params)
    position = user_data_json.position(decode.json_object(req.get_body()))
    step = await chat.export.step(user_id, position)
    return http_support.reply(user_data_json.exported(user_id, step))


@site_route(bp, "POST", "site/users/{userId}/erase")
async def erase_user(
    chat: "Chat", req: func.HttpRequest, pushes: func.Out[str]
) -> func.HttpResponse:
    """Erase one part of a user's data: {continuation?}. 200; 400; 403; 404."""
    user_id = decode.route_user(req.route_params)
    position = user_data_json.position(decode.json_object(req.get_body()))
    step = await chat.erasure.step(user_id, position)
    push.send(pushes, step.effects)
    return http_support.reply(user_data_json.erased(user_id, step))
