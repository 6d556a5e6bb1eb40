"""The client endpoint: negotiate, and connecting over WebSockets or long polling.

Source: the SignalR transport protocol specification.
"""

import functools

from aiohttp import hdrs, web

from local.signalr.connection import Connection, Ticket
from local.signalr.negotiate import asked_version, authenticate, describe
from local.signalr.polling import PollingTransport
from local.signalr.service import Service
from local.signalr.tokens import Identity
from local.signalr.websocket import serve_websocket

_PREFIX = "/client"


class ClientEndpoint:
    """The calls that browsers make."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._key = service.settings.access_key

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post(f"{_PREFIX}/negotiate", self.negotiate)
        app.router.add_options(f"{_PREFIX}/negotiate", _preflight)
        for path in (_PREFIX, f"{_PREFIX}/"):
            app.router.add_get(path, self.connect, allow_head=False)
            app.router.add_post(path, self.send)
            app.router.add_delete(path, self.leave)
            app.router.add_options(path, _preflight)
        app.on_response_prepare.append(_allow_origin)

    async def negotiate(self, request: web.Request) -> web.Response:
        """200 with a ticket; 401 for a token that does not prove a client of the hub."""
        hub, identity = authenticate(request, self._key)
        fault = await self._service.faults.strike("client") if self._service.faults else None
        if fault is not None:
            raise _status(fault.status or 503)
        version = asked_version(request)
        ticket = self._service.tickets.issue(hub, identity, version)
        return web.json_response(describe(ticket, version))

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Carry a connection; 404 for an unknown id, 409 for one that is already carried."""
        hub, identity = authenticate(request, self._key)
        token = request.query.get("id")
        carried = self._service.carried.get(token) if token else None
        if carried is not None:
            return await self._poll(request, _owned(carried, hub, identity))
        ticket = self._redeem(token, hub, identity)
        if ticket is None:
            raise web.HTTPNotFound(text="No Connection with that ID")
        return await self._carry(request, ticket)

    async def send(self, request: web.Request) -> web.Response:
        """Take frames of a connection whose transport cannot carry them."""
        connection = self._carried(request)
        if not isinstance(connection.transport, PollingTransport):
            raise web.HTTPMethodNotAllowed(request.method, [hdrs.METH_GET])
        await connection.feed(await request.read())
        return web.Response()

    async def leave(self, request: web.Request) -> web.Response:
        """End a polled connection."""
        connection = self._carried(request)
        connection.leave()
        self._service.carried.pop(connection.ticket.token, None)
        return web.Response(status=202)

    async def _carry(self, request: web.Request, ticket: Ticket) -> web.StreamResponse:
        open_connection = functools.partial(
            self._service.open, ticket, request.rel_url.raw_query_string
        )
        if _wants_events(request):
            raise web.HTTPBadRequest(text="Server-Sent Events are not served by this stand-in.")
        if request.headers.get(hdrs.UPGRADE):
            try:
                return await serve_websocket(request, open_connection)
            finally:
                self._service.carried.pop(ticket.token, None)
        timing = self._service.settings.timing
        open_connection(PollingTransport(timing.poll_s, timing.poll_gap_s))
        return web.Response(content_type="application/octet-stream")

    async def _poll(self, request: web.Request, connection: Connection) -> web.Response:
        transport = connection.transport
        if not isinstance(transport, PollingTransport) or request.headers.get(hdrs.UPGRADE):
            raise web.HTTPConflict(text="The connection is already carried.")
        response = await transport.poll(request)
        if response.status == 204 and transport.drained:
            self._service.carried.pop(connection.ticket.token, None)
        return response

    def _redeem(self, token: str | None, hub: str, identity: Identity) -> Ticket | None:
        if token is None:  # the client skipped negotiation
            token = self._service.tickets.issue(hub, identity, 1).token
        return self._service.tickets.redeem(token, hub, identity)

    def _carried(self, request: web.Request) -> Connection:
        hub, identity = authenticate(request, self._key)
        connection = self._service.carried.get(request.query.get("id", ""))
        if connection is None:
            raise web.HTTPNotFound(text="No Connection with that ID")
        return _owned(connection, hub, identity)


def _owned(connection: Connection, hub: str, identity: Identity) -> Connection:
    if connection.hub != hub or connection.ticket.identity != identity:
        raise web.HTTPNotFound(text="No Connection with that ID")
    return connection


def _wants_events(request: web.Request) -> bool:
    return "text/event-stream" in request.headers.get(hdrs.ACCEPT, "")


def _status(status: int) -> web.HTTPException:
    error = web.HTTPServiceUnavailable(text="The service is made to refuse.")
    error.set_status(status)
    return error


async def _preflight(request: web.Request) -> web.Response:
    headers = {
        hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST, DELETE, OPTIONS",
        hdrs.ACCESS_CONTROL_ALLOW_HEADERS: request.headers.get(
            hdrs.ACCESS_CONTROL_REQUEST_HEADERS, "*"
        ),
        hdrs.ACCESS_CONTROL_MAX_AGE: "600",
    }
    return web.Response(status=204, headers=headers)


async def _allow_origin(request: web.Request, response: web.StreamResponse) -> None:
    # The client sends credentials, and with them a wildcard is not allowed.
    origin = request.headers.get(hdrs.ORIGIN)
    if origin and request.path.startswith(_PREFIX):
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
        response.headers[hdrs.VARY] = hdrs.ORIGIN
