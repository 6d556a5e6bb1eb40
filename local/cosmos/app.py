"""The HTTP server: who may call, what a call is, faults, counters, headers."""

import logging
import sqlite3
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote

from aiohttp import web
from multidict import CIMultiDict

from local.common.control import add_control_routes
from local.common.faults import Fault, FaultBoard
from local.cosmos.auth import MasterKey
from local.cosmos.batch import Batches
from local.cosmos.catalog import Catalog
from local.cosmos.container import Container
from local.cosmos.documents import Documents, Operation
from local.cosmos.items import Items
from local.cosmos.meter import Meter
from local.cosmos.protocol import (
    CONTAINER_RID_MISMATCH,
    RANGE_ID,
    SESSION_NOT_AVAILABLE,
    SESSION_TOKEN,
    BadRequestError,
    Call,
    NotFoundError,
    RefusalError,
    Reply,
)
from local.cosmos.resources import Resources
from local.cosmos.store import Store

_LOG = logging.getLogger(__name__)
_MAX_BODY_BYTES = 8 * 1024 * 1024
_RETRY_AFTER_MS = 100
_TOO_MANY = 429


class Account:
    """The stand-in's account: one store and what answers calls on it."""

    def __init__(self, directory: Path, key: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.store = Store(directory / "cosmos.db")
        self.catalog = Catalog(self.store)
        self.faults = FaultBoard(moments=("before", "after"))
        self.meter = Meter()
        items = Items(self.store, self.catalog)
        self._documents = Documents(self.store, items, Batches(self.store, items))
        self._resources = Resources(self.catalog)
        self._key = MasterKey(key)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any call that is not on the control surface."""
        container: Container | None = None
        try:
            call = await _call_of(request)
            self._key.check(call.method, call.path, call.headers)
            if len(call.path) in {5, 6} and call.path[0] == "dbs" and call.path[4] == "docs":
                container = self.catalog.container(call.path[1], call.path[3])
                reply = await self._on_documents(call, container)
            else:
                reply = self._resources.answer(call)
                self.meter.count_metadata()
            await self.store.settled()
        except RefusalError as refusal:
            reply = refusal.reply()
        except _DroppedError:
            return _dropped(request)
        except sqlite3.Error:
            _LOG.exception("the database failed")
            reply = RefusalError(HTTPStatus.SERVICE_UNAVAILABLE, "The database failed.").reply()
        return _response(request, reply, container)

    async def _on_documents(self, call: Call, container: Container) -> Reply:
        name, operation = self._documents.operation(call)
        charge = 0.0
        try:
            reply = await self._carried_out(call, container, name, operation)
            charge = reply.charge
        finally:
            self.meter.count(name, charge, call.headers.get("User-Agent", ""))
        return reply

    async def _carried_out(
        self, call: Call, container: Container, name: str, operation: Operation
    ) -> Reply:
        try:
            if self.faults:
                _suffer(await self.faults.strike(name))
            _check_session(call, container)
            reply = operation(container, call)
            if self.faults:
                await self.store.settled()
                _suffer(await self.faults.strike(name, "after"))
        except RefusalError as refusal:
            return refusal.reply()
        return reply


class _DroppedError(Exception):
    """A fault wants the connection closed without an answer."""


def make_app(account: Account) -> web.Application:
    """Return the application that serves *account* and its control surface."""
    app = web.Application(client_max_size=_MAX_BODY_BYTES)
    add_control_routes(app, account.faults, account.meter.shown)
    app.router.add_route("*", "/{path:.*}", account.handle)
    return app


async def _call_of(request: web.Request) -> Call:
    try:
        body = await request.read() if request.can_read_body else b""
    except web.HTTPRequestEntityTooLarge as error:
        raise RefusalError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request size is too large: an item is up to 2 MB."
        ) from error
    raw = request.raw_path.partition("?")[0]
    parts = [part for part in raw.split("/") if part]
    path = tuple(map(unquote, parts) if "%" in raw else parts)
    return Call(request.method, path, request.headers, body)


def _suffer(fault: Fault | None) -> None:
    if fault is None:
        return
    if fault.kind == "drop":
        raise _DroppedError
    status = fault.status or HTTPStatus.SERVICE_UNAVAILABLE
    raise RefusalError(
        status,
        f"Injected by {fault.id}.",
        retry_after_ms=_RETRY_AFTER_MS if status == _TOO_MANY else None,
    )


def _check_session(call: Call, container: Container) -> None:
    intended = call.headers.get("x-ms-cosmos-intended-collection-rid")
    if intended is not None and intended != container.rid:
        raise BadRequestError(
            "The container was deleted and made anew.", substatus=CONTAINER_RID_MISMATCH
        )
    token = call.headers.get(SESSION_TOKEN)
    if token and _position(token) > container.lsn:
        raise NotFoundError(
            "The read session is not available for the input session token.",
            substatus=SESSION_NOT_AVAILABLE,
        )


def _position(token: str) -> int:
    text = token.rpartition("#")[2]
    if not text.isdecimal():
        raise BadRequestError(f"The session token {token} is invalid.")
    return int(text)


def _dropped(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _response(request: web.Request, reply: Reply, container: Container | None) -> web.Response:
    headers = CIMultiDict(reply.headers)
    headers["x-ms-request-charge"] = str(reply.charge)
    headers["x-ms-activity-id"] = request.headers.get("x-ms-activity-id", "")
    if reply.etag is not None:
        headers["etag"] = reply.etag
    if container is not None:
        headers[SESSION_TOKEN] = f"0:-1#{container.lsn}"
        headers["lsn"] = str(container.lsn)
        headers["x-ms-alt-content-path"] = container.quoted_link
        headers[RANGE_ID] = "0"
    if reply.text:
        headers["Content-Type"] = "application/json"
    return web.Response(status=reply.status, body=reply.text.encode(), headers=headers)
