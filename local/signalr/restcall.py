"""One REST call: what its path, query and body say, checked."""

import json
import time
from dataclasses import dataclass
from typing import NoReturn

from aiohttp import web

from local.signalr.connection import Connection
from local.signalr.frames import Push
from local.signalr.hubs import Hub
from local.signalr.tokens import sign

_MAX_GROUP = 1024
_MAX_TOKEN_MINUTES = 24 * 60
_MAX_TTL_S = 10 * 365 * 24 * 3600


class RestError(Exception):
    """A refusal, as the API words it: a status, and a code that a header repeats."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def response(self) -> web.Response:
        return web.json_response(
            {"code": self.code, "message": str(self)},
            status=self.status,
            headers={"x-ms-error-code": self.code},
        )


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was understood; *names* are the path's variable parts, in order."""

    request: web.Request
    hub_name: str
    hub: Hub
    names: tuple[str, ...]

    @property
    def excluded(self) -> frozenset[str]:
        return frozenset(self.request.query.getall("excluded", ()))

    @property
    def reason(self) -> str | None:
        return self.request.query.get("reason")

    @property
    def ttl_s(self) -> int | None:
        return _number(self.request, "ttl", _MAX_TTL_S)

    def user(self, index: int) -> str:
        if not self.names[index].strip():
            raise RestError(400, "InvalidUserId", "A user id is not blank.")
        return self.names[index]

    def group(self, index: int) -> str:
        name = self.names[index]
        if not name.strip() or len(name) > _MAX_GROUP:
            raise RestError(
                400, "InvalidGroupName", f"A group's name has 1 to {_MAX_GROUP} characters."
            )
        return name

    def connection(self, index: int, code: str) -> Connection:
        """Return the connection named in the path; a 404 with *code* when there is none."""
        connection = self.hub.connections.get(self.names[index])
        if connection is None:
            raise RestError(404, code, "No such connection.")
        return connection


async def read_push(request: web.Request) -> Push:
    """Return the message in the body, whose keys may be in any case.

    Raises:
        RestError: 400 malformed, 413 larger than 1 MB, 415 not JSON.

    """
    if request.content_type != "application/json":
        raise RestError(415, "UnsupportedMediaType", "Send application/json.")
    try:
        body = json.loads(await request.read(), parse_constant=_refuse_constant)
    except web.HTTPRequestEntityTooLarge as error:
        raise RestError(413, "PayloadTooLarge", "A message has at most 1 MB.") from error
    except (ValueError, RecursionError) as error:
        raise RestError(400, "InvalidBody", "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise RestError(400, "InvalidBody", "The body is not an object.")
    return _push({name.lower(): value for name, value in body.items()})


def client_token(call: Call, key: str) -> str:
    """Return a token that lets a client connect to the call's hub."""
    minutes = _number(call.request, "minutesToExpire", _MAX_TOKEN_MINUTES) or 60
    now = int(time.time())
    claims: dict[str, object] = {
        "nbf": now,
        "iat": now,
        "exp": now + minutes * 60,
        "aud": f"{call.request.url.origin()}/client/?hub={call.hub_name}",
    }
    user_id = call.request.query.get("userId")
    return sign({"asrs.s.uid": user_id, **claims} if user_id else claims, key)


def _push(body: dict[str, object]) -> Push:
    target, arguments = body.get("target"), body.get("arguments")
    if not isinstance(target, str) or not target:
        raise RestError(400, "InvalidBody", "A message has a target.")
    if arguments is not None and not isinstance(arguments, list):
        raise RestError(400, "InvalidBody", "The arguments are a list.")
    if body.get("rawbytes") or body.get("rawonly"):
        raise RestError(400, "NotSupported", "Raw messages are not supported here.")
    return Push(target, arguments or [])


def _number(request: web.Request, name: str, limit: int) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 10 or int(text) > limit:
        raise RestError(400, "InvalidQuery", f"{name} is a number from 0 to {limit}.")
    return int(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
