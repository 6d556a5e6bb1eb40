"""What HTTP handlers share: who calls, as proved by the request, and how answers leave."""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

import azure.functions as func

from shared.bootstrap import chat
from shared.config import Auth
from shared.domain.errors import ForbiddenError, InvalidError, UnauthenticatedError
from shared.domain.ids import user_id
from shared.domain.people.user import Principal, proved

_SCHEME: Final = "bearer"  # in any case: RFC 9110, section 11.1


async def principal(req: func.HttpRequest) -> Principal:
    """Return the caller that *req* proves.

    Raises:
        UnauthenticatedError: There is no proof, or it is not valid.

    Source: docs/protocol.md#principals.
    """
    auth = (await chat()).settings.auth
    if auth.mode == "easyauth":
        caller = _platform_principal(req, auth)
        if auth.site_audience and auth.site_audience in _platform_audiences(req):
            raise UnauthenticatedError("the website's own token is valid for its own calls only")
        return caller
    return await (await chat()).verifier.verify(_token(req))


async def require_site(req: func.HttpRequest) -> None:
    """Let only the website's own credential through: a token of the audience for its calls.

    Raises:
        UnauthenticatedError: There is no proof, or it is not valid.
        ForbiddenError: The proof is of somebody else.

    Source: docs/protocol.md#principals.
    """
    auth = (await chat()).settings.auth
    if auth.mode == "easyauth":
        caller = _platform_principal(req, auth)
        is_site = bool(auth.site_audience) and auth.site_audience in _platform_audiences(req)
    else:
        caller, is_site = await (await chat()).verifier.verify_site(_token(req)), True
    if not is_site or (auth.site_subject and caller.user_id != auth.site_subject):
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


def _token(req: func.HttpRequest) -> str:
    authorization: str = req.headers.get("authorization", "")
    scheme, _, token = authorization.partition(" ")
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
    """Return the audiences of the token that the platform checked; none where it names none.

    Source: App Service's documentation of X-MS-CLIENT-PRINCIPAL: base64 of {claims: [{typ, val}]}.
    """
    try:
        text = base64.b64decode(req.headers.get("x-ms-client-principal", ""))
        claims = json.loads(text)["claims"]
        return [claim["val"] for claim in claims if claim["typ"] == "aud"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
