"""HTTP functions: routing, keys, and the way of request and response through the worker."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDict

from local.host.auth import KeyRing, Level
from local.host.errors import NoWorkerError, StartError
from local.host.expressions import Lookup
from local.host.invoker import Invocable, InvocationError, Invoker, TriggerEvent
from local.host.routes import RouteTemplate, parse_template, split_path
from local.host.typed_value import TypedValue, dumps

# aiohttp frames the message itself.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


@dataclass(frozen=True, slots=True)
class _Route:
    template: RouteTemplate
    methods: frozenset[str] | None
    level: Level
    invocable: Invocable


class HttpFront:
    """All HTTP functions of the app."""

    def __init__(self, invoker: Invoker, keys: KeyRing, prefix: str) -> None:
        self._invoker = invoker
        self._keys = keys
        self._prefix = prefix
        self._routes: list[_Route] = []

    def add(
        self, route: str, methods: frozenset[str] | None, level: Level, invocable: Invocable
    ) -> None:
        """Serve *invocable* at *route* below the prefix; *methods* None means all.

        Raises:
            StartError: The template is not supported.

        """
        try:
            template = parse_template(f"{self._prefix}/{route}")
        except ValueError as error:
            raise StartError(f"function {invocable.name}: {error}") from None
        self._routes.append(_Route(template, methods, level, invocable))
        self._routes.sort(key=lambda each: each.template.precedence)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer *request*: 404 without a function for path **and** method, as the real host."""
        match = self._find(request)
        if match is None:
            return web.Response(status=404)
        route, values = match
        if not self._keys.allows(request, route.level):
            return web.Response(status=401)
        query = _joined(request.query.items()) if request.query_string else {}
        trigger_event = TriggerEvent(
            value=await _request_value(request, values, query),
            lookup=_lookup(request, values, query),
            traceparent=request.headers.get("traceparent", ""),
        )
        try:
            returned = await self._invoker.invoke(route.invocable, trigger_event)
        except InvocationError:
            return web.Response(status=500)
        except NoWorkerError:
            return web.Response(status=503, text="Function host is not running.")
        return _response(returned)

    def _find(self, request: web.Request) -> tuple[_Route, dict[str, str]] | None:
        path = split_path(request.rel_url.raw_path)
        for route in self._routes:
            if route.methods is not None and request.method not in route.methods:
                continue
            values = route.template.match(path)
            if values is not None:
                return route, values
        return None


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


async def _request_value(
    request: web.Request, values: dict[str, str], query: dict[str, str]
) -> TypedValue:
    body = await request.read() if request.body_exists else b""
    # The worker does not ask for nullable values, so the host leaves empty ones out.
    parameters = {name: value for name, value in query.items() if value}
    headers = _joined((name.lower(), value) for name, value in request.headers.items())
    url = f"{request.scheme}://{request.host}{request.raw_path}"
    return TypedValue("http", [request.method, url, headers, body, values, parameters])


def _lookup(request: web.Request, values: dict[str, str], query: dict[str, str]) -> Lookup:
    def find(name: str) -> str | None:
        source, _, key = name.partition(".")
        if key and source.lower() == "headers":
            return request.headers.get(key)
        if key and source.lower() == "query":
            return query.get(key)
        return values.get(name)

    return find


def _response(returned: TypedValue | None) -> web.Response:
    if returned is None:
        return web.Response(status=200)
    if returned.kind != "http" or not isinstance(returned.value, list):
        text = returned.value if isinstance(returned.value, str) else dumps(returned.value)
        return web.Response(text=text)
    status, headers, cookies, body = returned.value
    own_headers = CIMultiDict((key, value) for key, value in headers.items() if key not in _FRAMING)
    for cookie in cookies:
        own_headers.add("Set-Cookie", cookie)
    return web.Response(status=status, headers=own_headers, body=body)
