"""What every trigger needs: who calls, what they may take, and how answers leave."""

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import azure.functions as func

from shared.bootstrap import chat
from shared.config import Auth
from shared.domain.errors import ForbiddenError, InvalidError, UnauthenticatedError
from shared.domain.events import Effect
from shared.domain.ids import UserId, user_id
from shared.domain.limits import Limit
from shared.domain.user import Principal, proved
from shared.ports import Call
from triggers import admission, wire

_SCHEME: Final = "bearer"  # in any case: RFC 9110, section 11.1


async def principal(req: func.HttpRequest) -> Principal:
    """Return the caller that *req* proves.

    Raises:
        UnauthenticatedError: No proof, or none that holds.

    Source: docs/protocol.md#principals.
    """
    auth = (await chat()).settings.auth
    if auth.mode == "easyauth":
        found = _platform_principal(req, auth)
        if auth.site_audience and auth.site_audience in _platform_audiences(req):
            raise UnauthenticatedError("the website's own token serves its own calls alone")
        return found
    return await (await chat()).verifier.verify(_token(req))


async def caller(req: func.HttpRequest) -> UserId:
    return (await principal(req)).user_id


async def call_by(req: func.HttpRequest, kind: str = "other") -> Call:
    """Return the call that *req* makes, with the bucket it takes from: by kind of call.

    Handlers ask this first, before they read anything else of *req*.

    Raises:
        UnauthenticatedError: No proof, or none that holds.
        RateLimitedError: The caller has to wait still.
    """
    return await call_of(await principal(req), kind)


async def call_of(proved: Principal, kind: str = "other") -> Call:
    """Return the call of a caller who is proved already; see `call_by`."""
    return await admission.opened(Call(proved.user_id, limit=await limit_of(kind)))


async def lookup_by(req: func.HttpRequest, kind: str = "other") -> Call:
    """Return the call that *req* makes, as `call_by`, where the answer tells who exists."""
    return await admission.looks_up(await call_by(req, kind))


async def limit_of(kind: str) -> tuple[str, Limit]:
    limit: Limit = getattr((await chat()).settings.limits, kind)
    return kind, limit


async def require_site(req: func.HttpRequest) -> None:
    """Let only the website's own credential through: a token of the audience for its calls.

    Raises:
        UnauthenticatedError, ForbiddenError: It is somebody else, or nobody.

    Source: docs/protocol.md#principals.
    """
    auth = (await chat()).settings.auth
    if auth.mode == "easyauth":
        found = _platform_principal(req, auth)
        is_site = bool(auth.site_audience) and auth.site_audience in _platform_audiences(req)
    else:
        found, is_site = await (await chat()).verifier.verify_site(_token(req)), True
    if not is_site or (auth.site_subject and found.user_id != auth.site_subject):
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


def _token(req: func.HttpRequest) -> str:
    said: str = req.headers.get("authorization", "")
    scheme, _, token = said.partition(" ")
    if scheme.lower() != _SCHEME:
        raise UnauthenticatedError("a bearer token of the website is needed")
    return token.strip()


def _platform_principal(req: func.HttpRequest, auth: Auth) -> Principal:
    # Without App Service Authentication in front, anyone could send these headers.
    identifier = req.headers.get("x-ms-client-principal-id", "")
    if not auth.platform_checks_tokens or not identifier:
        raise UnauthenticatedError("App Service Authentication has not proved a caller")
    try:
        subject = user_id(identifier, field="x-ms-client-principal-id")
    except InvalidError as error:
        raise UnauthenticatedError("the proved subject is not a user id") from error
    return proved(subject, name=req.headers.get("x-ms-client-principal-name"))


def _platform_audiences(req: func.HttpRequest) -> list[object]:
    """Return the audiences of the token that the platform checked; none where it does not say.

    Source: App Service's documentation of X-MS-CLIENT-PRINCIPAL: base64 of {claims: [{typ, val}]}.
    """
    try:
        said = json.loads(base64.b64decode(req.headers.get("x-ms-client-principal", "")))
        return [claim["val"] for claim in said["claims"] if claim["typ"] == "aud"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
