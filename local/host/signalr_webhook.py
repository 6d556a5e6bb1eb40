"""`/runtime/webhooks/signalr`: upstream calls of SignalR Service, dispatched to functions.

Statuses, the order of the checks and the trigger's JSON are those of the SignalR extension 2.x
(`SignalRTriggerDispatcher`, `SignalRRequestResolver`, `InvocationContext`).
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from aiohttp import web

from local.host import hub_protocol
from local.host.auth import KeyRing
from local.host.errors import Failure, NoWorkerError, StartError
from local.host.expressions import Lookup
from local.host.invoker import Invocable, InvocationError, Invoker, TriggerEvent
from local.host.signalr_connection import SignalRConnection
from local.host.typed_value import dumps, string

_ADDRESS = ("X-ASRS-Hub", "X-ASRS-Category", "X-ASRS-Event", "X-ASRS-Connection-Id")
_CONTENT_HEADERS = frozenset(
    {
        *("allow", "content-disposition", "content-encoding", "content-language"),
        *("content-length", "content-location", "content-md5", "content-range", "content-type"),
        *("expires", "last-modified"),
    }
)


@dataclass(frozen=True, slots=True)
class HubFunction:
    """A function bound to one event of a hub.

    Args:
        parameter_names: When not empty, exactly so many arguments must arrive, and their values
            become binding data under these names.

    """

    hub: str
    category: str
    event: str
    invocable: Invocable
    connection: SignalRConnection
    parameter_names: tuple[str, ...] = ()


class SignalRWebhook:
    """All SignalR functions of the app."""

    def __init__(self, invoker: Invoker, keys: KeyRing, *, rewrites_dates: bool) -> None:
        self._invoker = invoker
        self._keys = keys
        self._rewrites_dates = rewrites_dates
        self._functions: dict[tuple[str, str, str], HubFunction] = {}

    def add(self, function: HubFunction) -> None:
        """Serve *function*.

        Raises:
            StartError: Another function has the same hub, category and event.

        """
        key = _key(function.hub, function.category, function.event)
        if key in self._functions:
            other = self._functions[key].invocable.name
            raise StartError(
                f"functions {other} and {function.invocable.name} have the same SignalR event"
            )
        self._functions[key] = function

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one upstream call."""
        if not self._keys.allows(request, "system"):
            return web.Response(status=401)
        if request.content_type not in hub_protocol.CONTENT_TYPES:
            return web.Response(status=415)
        headers = request.headers
        if not all(name in headers for name in _ADDRESS):
            return web.Response(status=500)
        address = [headers[name] for name in _ADDRESS]
        if not all(address):
            return web.Response(status=400)
        function = self._functions.get(_key(*address[:3]))
        if function is None:
            return web.Response(status=404)
        return await self._dispatch(function, request)

    async def _dispatch(self, function: HubFunction, request: web.Request) -> web.Response:
        if not _is_signed(request.headers, function.connection):
            return web.Response(status=401)
        body = await request.read()
        try:
            message = hub_protocol.parse(
                body, request.content_type, rewrites_dates=self._rewrites_dates
            )
            message.check(request.headers["X-ASRS-Category"], request.headers["X-ASRS-Event"])
        except (ValueError, RecursionError) as error:
            return web.Response(status=500, reason=f"Bad message: {type(error).__name__}")
        try:
            return await self._invoke(function, request, message)
        except InvocationError as error:
            if function.category.lower() != "connections":
                return message.completion(error=error.failure.rpc_text())
            return web.Response(status=403 if function.event.lower() == "connected" else 200)
        except NoWorkerError:
            return web.Response(status=503)

    async def _invoke(
        self, function: HubFunction, request: web.Request, message: hub_protocol.Message
    ) -> web.Response:
        names = function.parameter_names
        arguments = message.arguments or []
        if names and len(names) != len(arguments):
            failure = Failure(f"{len(names)} parameters expected, {len(arguments)} arguments sent")
            raise InvocationError(failure)
        trigger_event = TriggerEvent(
            value=string(_trigger_json(request, message)),
            lookup=_lookup(request, dict(zip(names, arguments, strict=True)) if names else {}),
        )
        returned = await self._invoker.invoke(function.invocable, trigger_event)
        if function.category.lower() == "connections":
            return web.Response(status=200)
        return message.completion(returned=returned)


def _key(hub: str, category: str, event: str) -> tuple[str, str, str]:
    return hub.lower(), category.lower(), event.lower()


def _is_signed(headers: Mapping[str, str], connection: SignalRConnection) -> bool:
    expected = connection.signature(headers["X-ASRS-Connection-Id"])
    presented = headers.get("X-ASRS-Signature", "").lower().split(",")
    return any(hmac.compare_digest(each.strip().encode(), expected.encode()) for each in presented)


def _trigger_json(request: web.Request, message: hub_protocol.Message) -> str:
    headers = request.headers
    fields: dict[str, str] = {}
    for name, value in headers.items():
        if name.lower() not in _CONTENT_HEADERS:
            fields[name] = f"{fields[name]},{value}" if name in fields else value
    return dumps(
        {
            "Arguments": message.arguments,
            "Error": message.error,
            "Category": headers["X-ASRS-Category"],
            "Event": headers["X-ASRS-Event"],
            "Hub": headers["X-ASRS-Hub"],
            "ConnectionId": headers["X-ASRS-Connection-Id"],
            "UserId": headers.get("X-ASRS-User-Id"),
            "Headers": fields,
            "Query": _query(headers.get("X-ASRS-Client-Query")),
            "Claims": _claims(headers.get("X-ASRS-User-Claims")),
        }
    )


def _query(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    query: dict[str, str] = {}
    for name, value in parse_qsl(text.removeprefix("?"), keep_blank_values=True):
        query[name] = f"{query[name]},{value}" if name in query else value
    return query


def _claims(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    claims: dict[str, str] = {}
    for entry in text.split(","):
        parts = entry.strip().split(": ")
        # The extension drops what a colon or comma in a value tore apart; the first claim wins.
        if len(parts) == 2:
            claims.setdefault(parts[0], parts[1])
    return claims


def _lookup(request: web.Request, named: dict[str, object]) -> Lookup:
    context = {"hub": "Hub", "category": "Category", "event": "Event", "userid": "User-Id"}

    def find(name: str) -> str | None:
        if name in named:
            value = named[name]
            return value if isinstance(value, str) else dumps(value)
        if name.lower() == "connectionid":
            return request.headers.get("X-ASRS-Connection-Id")
        suffix = context.get(name.lower())
        return None if suffix is None else request.headers.get(f"X-ASRS-{suffix}")

    return find
