"""HTTP routes about the caller: connecting, profile, contacts, presence, blocks, devices."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared.domain.errors import PrincipalMismatchError
from triggers.bindings import CLAIMED_ID, HUB, SIGNALR
from triggers.lazy import addresses, decode, encode, http_support, push, subscriptions
from triggers.routes import open_route, route

if TYPE_CHECKING:
    from shared.composition import Chat
    from shared.domain.people.user import Principal
    from shared.ports import Call

bp = func.Blueprint()


@route(
    bp,
    "POST",
    "negotiate",
    limit="negotiate",
    with_principal=True,
    binding={
        "arg_name": "connection",
        "type": "signalRConnectionInfo",
        "hubName": HUB,
        "userId": f"{{headers.{CLAIMED_ID}}}",
        "connectionStringSetting": SIGNALR,
    },
)
async def negotiate(
    chat: "Chat", call: "Call", principal: "Principal", req: func.HttpRequest, connection: str
) -> func.HttpResponse:
    """Give the caller a connection of their own. 200 {url, accessToken}.

    Refusals: 403 principal_mismatch; 429 of the user or the address; 503 busy.

    The binding makes a connection for whatever id the header claims; it leaves this function only
    when that id is the proved principal's.
    """
    address = addresses.client_address(req.headers, chat.settings.connections.edge)
    await chat.connections.negotiate(call, address)
    if req.headers.get(CLAIMED_ID) != principal.user_id:
        raise PrincipalMismatchError(f"{CLAIMED_ID} must be your own user id")
    await chat.accounts.ensure(principal)
    return func.HttpResponse(
        connection, mimetype="application/json", headers={"Cache-Control": "no-store"}
    )


@route(bp, "GET", "me", with_principal=True)
async def me(
    chat: "Chat", call: "Call", principal: "Principal", _req: func.HttpRequest
) -> func.HttpResponse:
    """Tell the caller who they are. 200."""
    user = await chat.accounts.me(call, principal)
    return http_support.reply(encode.profile(user, chat.push_public_key))


@route(bp, "PATCH", "me/settings")
async def update_settings(chat: "Chat", call: "Call", req: func.HttpRequest) -> func.HttpResponse:
    """Choose how much notifications tell: {preview}. 200; 400."""
    preview = decode.preview(decode.json_object(req.get_body()))
    user = await chat.accounts.set_preview(call, preview)
    return http_support.reply(encode.profile(user, chat.push_public_key))


@route(bp, "GET", "contacts")
async def list_contacts(chat: "Chat", call: "Call", _req: func.HttpRequest) -> func.HttpResponse:
    """List the caller's contacts with their presence. 200 {items}."""
    contacts = await chat.accounts.contacts(call)
    return http_support.reply({"items": [encode.contact(contact) for contact in contacts]})


@route(bp, "GET", "presence")
async def get_presence(chat: "Chat", call: "Call", req: func.HttpRequest) -> func.HttpResponse:
    """Tell who of up to 200 users is online. 200 {items}; 400."""
    user_ids = decode.presence_users(req.params)
    presences = await chat.presences.list_presences(call, user_ids)
    return http_support.reply({"items": [encode.presence(presence) for presence in presences]})


@route(bp, "PUT DELETE", "blocks/{userId}", looks_up=True)
async def block_user(
    chat: "Chat", call: "Call", req: func.HttpRequest, pushes: func.Out[str]
) -> func.HttpResponse:
    """Put (PUT) or lift (DELETE) a block, at once and both ways. 204; 404."""
    other = decode.route_user(req.route_params)
    blocked = req.method == "PUT"
    push.send(pushes, await chat.accounts.block(call, other, blocked=blocked))
    return http_support.reply(status=204)


@route(bp, "PUT", "push-subscriptions/{subscriptionId}")
async def put_push_subscription(
    chat: "Chat", call: "Call", req: func.HttpRequest
) -> func.HttpResponse:
    """Remember where one device's notifications go. 204; 400."""
    subscription = subscriptions.parse(
        req.route_params.get("subscriptionId"),
        decode.json_object(req.get_body()),
        chat.settings.push_hosts,
        apps=chat.settings.notification_hub is not None,
    )
    await chat.devices.subscribe(call, subscription)
    return http_support.reply(status=204)


@route(bp, "DELETE", "push-subscriptions/{subscriptionId}")
async def delete_push_subscription(
    chat: "Chat", call: "Call", req: func.HttpRequest
) -> func.HttpResponse:
    """Forget a device. 204, also when it was not known."""
    identifier = subscriptions.identifier(req.route_params.get("subscriptionId"))
    await chat.devices.unsubscribe(call, identifier)
    return http_support.reply(status=204)


@open_route(bp, "GET", "health")
async def health(chat: "Chat", _req: func.HttpRequest) -> func.HttpResponse:
    """Tell whether the services behind the chat answer. 200, or 503 when none can be served."""
    current = await chat.health()
    status = 503 if current.status == "unavailable" else 200
    return http_support.reply({"status": current.status, "checks": current.checks}, status)
