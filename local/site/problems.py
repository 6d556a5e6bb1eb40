"""Refusals of the site: problem documents as docs/protocol.md describes them."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web

from local.common.control import dumps

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CODES = {
    400: "invalid",
    403: "forbidden",
    404: "not_found",
    405: "not_found",
    413: "too_large",
    503: "unavailable",
}


class ProblemError(Exception):
    """A refusal with its status, its code and a sentence for the caller."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str | None = None,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code or _CODES.get(status, "invalid")
        self.detail = detail
        self.retry_after_ms = retry_after_ms


class InvalidError(ProblemError):
    """A field is missing or outside its range."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(400, f"{field}: {rule}")


class UnavailableError(ProblemError):
    """What is needed to answer is down for now."""

    def __init__(self, detail: str, *, retry_after_ms: int = 1000) -> None:
        super().__init__(503, detail, retry_after_ms=retry_after_ms)


@web.middleware
async def as_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every refusal, ours or aiohttp's, into a problem document."""
    try:
        return await handler(request)
    except ProblemError as error:
        return problem_response(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return problem_response(ProblemError(error.status, error.reason))


def problem_response(error: ProblemError) -> web.Response:
    """Return *error* as application/problem+json, with Retry-After when it has a time."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "retryAfterMs": error.retry_after_ms,
    }
    headers = {}
    if error.retry_after_ms is not None:
        headers["Retry-After"] = str(-(-error.retry_after_ms // 1000))
    return web.Response(
        status=error.status,
        text=dumps(document),
        content_type="application/problem+json",
        headers=headers,
    )
