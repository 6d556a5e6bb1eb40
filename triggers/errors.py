"""How refusals leave the app: one table from the kind of refusal to its HTTP status."""

import json
import logging
import time
from collections.abc import Awaitable, Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final

import azure.functions as func

from shared import telemetry
from shared.domain.errors import (
    ChatError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedTypeError,
)
from shared.env import SettingError
from triggers.lazy import admission, push

logger = logging.getLogger("parley")

_STATUS: Final[dict[type[ChatError], HTTPStatus]] = {
    InvalidError: HTTPStatus.BAD_REQUEST,
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    RejectedError: HTTPStatus.GONE,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    RateLimitedError: HTTPStatus.TOO_MANY_REQUESTS,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
_INTERNAL_RETRY_MS: Final = 1000
_LOGGED: Final = frozenset({"ok", "setting", "internal", "unavailable"})  # always; others bounded

type HttpHandler = Callable[..., Awaitable[func.HttpResponse]]
type HubHandler = Callable[..., Awaitable[dict[str, Any]]]


def status_of(error: ChatError) -> HTTPStatus:
    """Return the HTTP status of *error*'s kind."""
    for kind in type(error).__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem(error: ChatError) -> func.HttpResponse:
    """Return *error* as an answer of type application/problem+json (RFC 9457)."""
    status = status_of(error)
    body = {
        "type": f"urn:parley:error:{error.code}",
        "title": status.phrase,
        "status": status.value,
        "code": error.code,
        "detail": error.detail,
        "retryAfterMs": error.retry_after_ms,
    }
    headers = {"Cache-Control": "no-store"}
    if error.retry_after_ms is not None:
        headers["Retry-After"] = str(-(-error.retry_after_ms // 1000))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return func.HttpResponse(
        json.dumps(body),
        status_code=status.value,
        headers=headers,
        mimetype="application/problem+json",
    )


def as_problem(handler: HttpHandler) -> HttpHandler:
    """Answer refusals of *handler* as problem documents.

    Any other exception is a fault of the app: the answer is 503 and tells nothing about the fault.
    """

    @wraps(handler)
    async def answered(*args: Any, **kwargs: Any) -> func.HttpResponse:  # noqa: ANN401
        telemetry.begin(_traceparent(*args, **kwargs))
        return await _answered(handler.__name__, handler(*args, **kwargs), problem)

    return answered


def as_result(handler: HubHandler) -> HubHandler:
    """Return refusals of a hub *handler* as results.

    An exception would reach the client as a completion error with the worker's text, and that holds
    a traceback. Source: docs/protocol.md#hub-methods.

    A refused call may have brought its user online. Live state has noted that as told, and no later
    call tells it again, so the push is sent beside the refusal: see `admission.refused_pushes`.
    """

    @wraps(handler)
    async def answered(*args: Any, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401
        telemetry.begin()
        result = await _answered(handler.__name__, handler(*args, **kwargs), refusal)
        effects = () if result["ok"] else admission.refused_pushes()
        if effects:
            push.send(kwargs["pushes"], effects)
        return result

    return answered


def refusal(error: ChatError) -> dict[str, Any]:
    """Return *error* as a hub method's result."""
    fields: dict[str, Any] = {"code": error.code, "detail": error.detail}
    if error.retry_after_ms is not None:
        fields["retryAfterMs"] = error.retry_after_ms
    if error.client_message_id is not None:
        fields["clientMessageId"] = error.client_message_id
    return {"ok": False, "error": fields}


async def _answered[T](name: str, call: Awaitable[T], refuse: Callable[[ChatError], T]) -> T:
    began = time.perf_counter()
    code = "ok"
    admission.begin()
    try:
        return await call
    except ChatError as early:
        error = await admission.settled(early)
        code = error.code
        return refuse(error)
    except SettingError as error:
        code = "setting"
        logger.critical("%s: %s", name, error)
        return refuse(_fault())
    except Exception:
        code = "internal"
        logger.exception("%s failed", name)
        return refuse(_fault())
    finally:
        _log(name, code, (time.perf_counter() - began) * 1000)


def _log(name: str, code: str, duration_ms: float) -> None:
    left_out = 0 if code in _LOGGED else admission.refusals.passes()
    if left_out:
        text = "%s %s duration_ms=%d refused_before=%d"
        logger.info(text, name, code, duration_ms, left_out)
    elif left_out is not None:
        logger.info("%s %s duration_ms=%d", name, code, duration_ms)


def _traceparent(req: func.HttpRequest | None = None, *_: Any, **__: Any) -> object:  # noqa: ANN401
    return None if req is None else req.headers.get("traceparent")


def _fault() -> UnavailableError:
    return UnavailableError("something went wrong on our side", retry_after_ms=_INTERNAL_RETRY_MS)
