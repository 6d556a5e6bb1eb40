"""The data plane REST API that the function app calls.

Source: the service's REST description, versions 2022-06-01 to 2024-12-01, for paths and codes.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from aiohttp import web

from local.signalr.connection import Connection
from local.signalr.delivery import Send
from local.signalr.negotiate import bearer_token, is_hub_name
from local.signalr.restcall import Call, RestError, client_token, read_push
from local.signalr.service import Service
from local.signalr.tokens import TokenError, check_rest_audience, verify

_VERSIONS = ("2022-06-01", "2022-11-01", "2023-07-01", "2024-12-01")
_GENERATE_TOKEN_SINCE = "2022-11-01"  # noqa: S105 (a version)
_PREFIX = "/api/hubs/"

Operation = Callable[[Call], Awaitable[web.Response]]


class RestApi:
    """Sends, group memberships, existence checks and closing, by hub."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._groups = service.user_groups
        self._operations: dict[tuple[str, ...], dict[str, Operation]] = {
            (":send",): {"POST": self._send_to_all},
            ("users", "*", ":send"): {"POST": self._send_to_user},
            ("groups", "*", ":send"): {"POST": self._send_to_group},
            ("connections", "*", ":send"): {"POST": self._send_to_connection},
            (":closeConnections",): {"POST": self._close_all},
            ("users", "*", ":closeConnections"): {"POST": self._close_user},
            ("groups", "*", ":closeConnections"): {"POST": self._close_group},
            ("connections", "*"): {"HEAD": self._has_connection, "DELETE": self._close_one},
            ("users", "*"): {"HEAD": self._has_user},
            ("groups", "*"): {"HEAD": self._has_group},
            ("users", "*", "groups", "*"): {
                "HEAD": self._has_user_in_group,
                "PUT": self._add_user,
                "DELETE": self._remove_user,
            },
            ("users", "*", "groups"): {"DELETE": self._remove_user_from_all},
            ("groups", "*", "connections", "*"): {
                "PUT": self._add_connection,
                "DELETE": self._remove_connection,
            },
            ("connections", "*", "groups"): {"DELETE": self._remove_connection_from_all},
            (":generateToken",): {"POST": self._generate_token},
        }

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/api/health", _health)
        app.router.add_route("*", "/api/{path:.*}", self.handle)

    async def handle(self, request: web.Request) -> web.Response:
        """Carry out one call; a refusal is an error object with a code and a sentence."""
        self._service.counters.rest_calls += 1
        try:
            operation, call = self._read(request)
            await self._strike()
            return await operation(call)
        except RestError as error:
            return error.response()

    def _read(self, request: web.Request) -> tuple[Operation, Call]:
        path = request.raw_path.partition("?")[0]
        if not path.startswith(_PREFIX):
            raise RestError(404, "NotFound", f"No API at '{request.path}'.")
        hub, *parts = path.removeprefix(_PREFIX).split("/")
        shape = tuple("*" if index % 2 else part for index, part in enumerate(parts))
        methods = self._operations.get(shape)
        if methods is None:
            raise RestError(404, "NotFound", f"No API at '{request.path}'.")
        operation = methods.get(request.method)
        if operation is None:
            raise RestError(405, "MethodNotAllowed", f"Use {' or '.join(methods)}.")
        self._authorize(request, path)
        names = tuple(unquote(part) for part in parts[1::2])
        hub = _hub_name(unquote(hub), request.query.get("application"))
        return operation, Call(request, hub, self._service.hubs.get(hub), names)

    def _authorize(self, request: web.Request, path: str) -> None:
        version = request.query.get("api-version")
        if version not in _VERSIONS:
            raise RestError(
                400, "UnsupportedApiVersion", f"api-version must be one of {', '.join(_VERSIONS)}."
            )
        try:
            claims = verify(bearer_token(request), self._service.settings.access_key)
            check_rest_audience(claims, path)
        except TokenError as error:
            raise RestError(401, "Unauthorized", f"{error}.") from error

    async def _strike(self) -> None:
        faults = self._service.faults
        fault = await faults.strike("rest") if faults else None
        if fault is not None:
            raise RestError(fault.status or 503, "Fault", "The service is made to fail.")

    async def _send(self, call: Call, targets: list[Connection]) -> web.Response:
        push = await read_push(call.request)
        excluded = call.excluded
        if excluded:
            targets = [each for each in targets if each.id not in excluded]
        status = await self._service.delivery.accept(Send(push, targets))
        return web.Response(status=status)

    async def _send_to_all(self, call: Call) -> web.Response:
        return await self._send(call, list(call.hub.connections.values()))

    async def _send_to_user(self, call: Call) -> web.Response:
        return await self._send(call, call.hub.of_user(call.user(0)))

    async def _send_to_group(self, call: Call) -> web.Response:
        return await self._send(call, call.hub.of_group(call.group(0)))

    async def _send_to_connection(self, call: Call) -> web.Response:
        connection = call.hub.connections.get(call.names[0])
        return await self._send(call, [connection] if connection else [])

    async def _close_all(self, call: Call) -> web.Response:
        return _close(call, list(call.hub.connections.values()))

    async def _close_user(self, call: Call) -> web.Response:
        return _close(call, call.hub.of_user(call.user(0)))

    async def _close_group(self, call: Call) -> web.Response:
        return _close(call, call.hub.of_group(call.group(0)))

    async def _close_one(self, call: Call) -> web.Response:
        connection = call.connection(0, "Warning.Connection.NotExisted")
        connection.close(call.reason, allow_reconnect=True)
        return web.Response()

    async def _has_connection(self, call: Call) -> web.Response:
        call.connection(0, "Warning.Connection.NotExisted")
        return web.Response()

    async def _has_user(self, call: Call) -> web.Response:
        return _exists(call.hub.of_user(call.user(0)), "Warning.User.NotExisted")

    async def _has_group(self, call: Call) -> web.Response:
        return _exists(call.hub.of_group(call.group(0)), "Warning.Group.NotExisted")

    async def _has_user_in_group(self, call: Call) -> web.Response:
        user_id, group = call.user(0), call.group(1)
        is_member = self._groups.contains(call.hub_name, user_id, group) or any(
            group in each.groups for each in call.hub.of_user(user_id)
        )
        return _exists(is_member, "Info.User.NotInGroup")

    async def _add_user(self, call: Call) -> web.Response:
        user_id, group, ttl_s = call.user(0), call.group(1), call.ttl_s
        if ttl_s != 0:
            self._groups.add(call.hub_name, user_id, group, ttl_s)
        for connection in call.hub.of_user(user_id):
            call.hub.add(connection, group)
        return web.Response()

    async def _remove_user(self, call: Call) -> web.Response:
        user_id, group = call.user(0), call.group(1)
        self._groups.remove(call.hub_name, user_id, group)
        for connection in call.hub.of_user(user_id):
            call.hub.remove(connection, group)
        return web.Response(status=204)

    async def _remove_user_from_all(self, call: Call) -> web.Response:
        user_id = call.user(0)
        self._groups.remove_all(call.hub_name, user_id)
        for connection in call.hub.of_user(user_id):
            call.hub.remove_from_all(connection)
        return web.Response(status=204)

    async def _add_connection(self, call: Call) -> web.Response:
        group = call.group(0)
        call.hub.add(call.connection(1, "Error.Connection.NotExisted"), group)
        return web.Response()

    async def _remove_connection(self, call: Call) -> web.Response:
        group = call.group(0)
        call.hub.remove(call.connection(1, "Warning.Connection.NotExisted"), group)
        return web.Response()

    async def _remove_connection_from_all(self, call: Call) -> web.Response:
        connection = call.hub.connections.get(call.names[0])
        if connection is not None:
            call.hub.remove_from_all(connection)
        return web.Response()

    async def _generate_token(self, call: Call) -> web.Response:
        if call.request.query["api-version"] < _GENERATE_TOKEN_SINCE:
            raise RestError(404, "NotFound", f"Needs api-version {_GENERATE_TOKEN_SINCE}.")
        return web.json_response({"token": client_token(call, self._service.settings.access_key)})


async def _health(_: web.Request) -> web.Response:
    return web.Response()


def _close(call: Call, connections: list[Connection]) -> web.Response:
    excluded, reason = call.excluded, call.reason
    for connection in connections:
        if connection.id not in excluded:
            connection.close(reason, allow_reconnect=True)
    return web.Response(status=204)


def _exists(exists: object, code: str) -> web.Response:
    if not exists:
        raise RestError(404, code, "Nothing of that name is connected.")
    return web.Response()


def _hub_name(name: str, application: str | None) -> str:
    if application is not None:
        name = f"{application}_{name}"
    if not is_hub_name(name):
        raise RestError(400, "InvalidHubName", f"'{name}' is not a hub's name.")
    return name.lower()
