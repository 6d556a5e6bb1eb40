"""Export and erasure of one user's data: the website asks, and calls again until it is done."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared.bootstrap import chat
from triggers.bindings import PUSHES
from triggers.errors import as_problem
from triggers.lazy import lazily

if TYPE_CHECKING:
    from triggers import decode, dossiers, edge
else:
    decode = lazily("triggers.decode")
    dossiers = lazily("triggers.dossiers")
    edge = lazily("triggers.edge")

bp = func.Blueprint()


@bp.function_name("export_user")
@bp.route("site/users/{userId}/export", methods=["POST"])
@as_problem
async def export_user(req: func.HttpRequest) -> func.HttpResponse:
    """Return a part of what there is of one user: {continuation?}. 200; 400; 403; 404."""
    await edge.require_site(req)
    user_id = decode.route_user(req.route_params)
    position = dossiers.position(decode.json_object(req.get_body()))
    step = await (await chat()).export.step(user_id, position)
    return edge.reply(dossiers.exported(user_id, step))


@bp.function_name("erase_user")
@bp.route("site/users/{userId}/erase", methods=["POST"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def erase_user(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Erase a part of what there is of one user: {continuation?}. 200; 400; 403; 404."""
    await edge.require_site(req)
    user_id = decode.route_user(req.route_params)
    position = dossiers.position(decode.json_object(req.get_body()))
    step = await (await chat()).erasure.step(user_id, position)
    edge.push(pushes, step.effects)
    return edge.reply(dossiers.erased(user_id, step))
