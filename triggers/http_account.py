"""HTTP routes about the caller: connecting, profile, contacts, presence, blocks, devices."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared.bootstrap import chat
from shared.domain.errors import PrincipalMismatchError
from triggers.bindings import CLAIMED_ID, HUB, PUSHES, SIGNALR
from triggers.errors import as_problem
from triggers.lazy import lazily

if TYPE_CHECKING:
    from triggers import addresses, decode, edge, subscriptions, wire
else:
    addresses = lazily("triggers.addresses")
    decode = lazily("triggers.decode")
    edge = lazily("triggers.edge")
    subscriptions = lazily("triggers.subscriptions")
    wire = lazily("triggers.wire")

bp = func.Blueprint()


@bp.function_name("negotiate")
@bp.route("negotiate", methods=["POST"])
@bp.generic_input_binding(
    arg_name="connection",
    type="signalRConnectionInfo",
    hubName=HUB,
    userId=f"{{headers.{CLAIMED_ID}}}",
    connectionStringSetting=SIGNALR,
)
@as_problem
async def negotiate(req: func.HttpRequest, connection: str) -> func.HttpResponse:
    """Give the caller a connection of their own. 200 {url, accessToken}.

    Refusals: 403 principal_mismatch; 429 of the user or the address; 503 busy.

    The binding makes a connection for whatever id the header claims; it leaves this function only
    when that id is the proved principal's.
    """
    proved = await edge.principal(req)
    call = await edge.call_of(proved, "negotiate")
    address = addresses.client_address(req.headers, (await chat()).settings.connections.edge)
    await (await chat()).connections.negotiate(call, address)
    if req.headers.get(CLAIMED_ID) != proved.user_id:
        raise PrincipalMismatchError(f"{CLAIMED_ID} must be your own user id")
    await (await chat()).accounts.ensure(proved)
    return func.HttpResponse(
        connection, mimetype="application/json", headers={"Cache-Control": "no-store"}
    )


@bp.function_name("me")
@bp.route("me", methods=["GET"])
@as_problem
async def me(req: func.HttpRequest) -> func.HttpResponse:
    """Tell the caller who they are. 200."""
    proved = await edge.principal(req)
    user = await (await chat()).accounts.me(await edge.call_by(req), proved)
    return edge.reply(wire.profile(user, (await chat()).push_public_key))


@bp.function_name("update_settings")
@bp.route("me/settings", methods=["PATCH"])
@as_problem
async def update_settings(req: func.HttpRequest) -> func.HttpResponse:
    """Choose how much notifications tell: {preview}. 200; 400."""
    call = await edge.call_by(req)
    preview = decode.preview(decode.json_object(req.get_body()))
    user = await (await chat()).accounts.set_preview(call, preview)
    return edge.reply(wire.profile(user, (await chat()).push_public_key))


@bp.function_name("list_contacts")
@bp.route("contacts", methods=["GET"])
@as_problem
async def list_contacts(req: func.HttpRequest) -> func.HttpResponse:
    """List the caller's contacts with their presence. 200 {items}."""
    contacts = await (await chat()).accounts.contacts(await edge.call_by(req))
    return edge.reply({"items": [wire.contact(one) for one in contacts]})


@bp.function_name("get_presence")
@bp.route("presence", methods=["GET"])
@as_problem
async def get_presence(req: func.HttpRequest) -> func.HttpResponse:
    """Tell who of up to 200 users is online. 200 {items}; 400."""
    call = await edge.call_by(req)
    ids = decode.asked_users(req.params)
    presences = await (await chat()).presences.list_presences(call, ids)
    return edge.reply({"items": [wire.presence(one) for one in presences]})


@bp.function_name("block_user")
@bp.route("blocks/{userId}", methods=["PUT", "DELETE"])
@bp.generic_output_binding(**PUSHES)
@as_problem
async def block_user(req: func.HttpRequest, pushes: func.Out[str]) -> func.HttpResponse:
    """Put (PUT) or lift (DELETE) a block, at once and both ways. 204; 404."""
    call = await edge.lookup_by(req)
    other = decode.route_user(req.route_params)
    blocked = req.method == "PUT"
    edge.push(pushes, await (await chat()).accounts.block(call, other, blocked=blocked))
    return edge.reply(status=204)


@bp.function_name("put_push_subscription")
@bp.route("push-subscriptions/{subscriptionId}", methods=["PUT"])
@as_problem
async def put_push_subscription(req: func.HttpRequest) -> func.HttpResponse:
    """Remember where one device's notifications go. 204; 400."""
    call = await edge.call_by(req)
    settings = (await chat()).settings
    asked = subscriptions.parse(
        req.route_params.get("subscriptionId"),
        decode.json_object(req.get_body()),
        settings.push_hosts,
        apps=settings.notification_hub is not None,
    )
    await (await chat()).devices.subscribe(call, asked)
    return edge.reply(status=204)


@bp.function_name("delete_push_subscription")
@bp.route("push-subscriptions/{subscriptionId}", methods=["DELETE"])
@as_problem
async def delete_push_subscription(req: func.HttpRequest) -> func.HttpResponse:
    """Forget a device. 204, also when it was not known."""
    call = await edge.call_by(req)
    identifier = subscriptions.identifier(req.route_params.get("subscriptionId"))
    await (await chat()).devices.unsubscribe(call, identifier)
    return edge.reply(status=204)


@bp.function_name("health")
@bp.route("health", methods=["GET"])
@as_problem
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """Tell whether the services behind the chat answer. 200, or 503 when none can be served."""
    del req
    found = await (await chat()).health()
    status = 503 if found.status == "unavailable" else 200
    return edge.reply({"status": found.status, "checks": found.checks}, status)
