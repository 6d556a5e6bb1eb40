"""What every trigger needs: who calls, what they may take, and how answers leave."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import azure.functions as func

from shared.bootstrap import chat
from shared.domain.errors import ForbiddenError, UnauthenticatedError
from shared.domain.events import Effect
from shared.domain.ids import UserId, user_id
from shared.domain.limits import Limit
from shared.domain.live import Call
from shared.domain.text import is_unicode
from shared.domain.user import Principal, display_name
from triggers import wire

_SCHEME: Final = "bearer"  # in any case: RFC 9110, section 11.1


async def principal(req: func.HttpRequest) -> Principal:
    """Return the caller that *req* proves.

    Raises:
        UnauthenticatedError: No proof, or none that holds.

    Source: docs/protocol.md#principals.
    """
    auth = (await chat()).settings.auth
    if auth.mode == "easyauth":
        return _platform_principal(req, trusted=auth.platform_checks_tokens)
    scheme, _, token = req.headers.get("authorization", "").partition(" ")
    if scheme.lower() != _SCHEME:
        raise UnauthenticatedError("a bearer token of the website is needed")
    return await (await chat()).verifier.verify(token.strip())


async def caller(req: func.HttpRequest) -> UserId:
    return (await principal(req)).user_id


async def call_by(req: func.HttpRequest, kind: str = "other") -> Call:
    """Return the call that *req* makes, with the bucket it takes from: by kind of call."""
    return Call(await caller(req), limit=await limit_of(kind))


async def limit_of(kind: str) -> tuple[str, Limit]:
    limit: Limit = getattr((await chat()).settings.limits, kind)
    return kind, limit


async def require_site(req: func.HttpRequest) -> None:
    """Let only the website's own credential through.

    Raises:
        UnauthenticatedError, ForbiddenError: It is somebody else, or nobody.
    """
    subject = (await chat()).settings.auth.site_subject
    if not subject or await caller(req) != subject:
        raise ForbiddenError("only the website itself may call this")


def reply(
    body: Mapping[str, Any] | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> func.HttpResponse:
    """Return *body* as JSON; an answer without a body when it is None."""
    text = None if body is None else json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return func.HttpResponse(
        text,
        status_code=status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        mimetype="application/json" if text is not None else "text/plain",
    )


def push(pushes: func.Out[str], effects: Iterable[Effect]) -> None:
    """Hand *effects* to the SignalR output binding; it is sent when the function has returned."""
    items = wire.signalr_items(effects)
    if items:
        pushes.set(json.dumps(items, separators=(",", ":"), ensure_ascii=False))


def _platform_principal(req: func.HttpRequest, *, trusted: bool) -> Principal:
    # Without App Service Authentication in front, anyone could send these headers.
    identifier = req.headers.get("x-ms-client-principal-id", "")
    if not trusted or not identifier:
        raise UnauthenticatedError("App Service Authentication has not proved a caller")
    name = req.headers.get("x-ms-client-principal-name", "")
    return Principal(
        user_id(identifier, field="x-ms-client-principal-id"),
        display_name=display_name(name, fallback="") if is_unicode(name) else "",
    )
