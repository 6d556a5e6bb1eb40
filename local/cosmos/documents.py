"""Calls on a container's items: from headers and body to operations, and back.

Source: learn.microsoft.com/rest/api/cosmos-db/documents, and what azure-cosmos 4.17 sends.
"""

from collections.abc import Callable
from http import HTTPStatus

from local.cosmos.batch import Batches
from local.cosmos.container import Container, Key
from local.cosmos.feed import read_changes
from local.cosmos.items import Conditions, Items, Outcome
from local.cosmos.json_values import Json, Value, dump, load
from local.cosmos.protocol import (
    CONTINUATION,
    END_EPK,
    MAX_ITEM_COUNT,
    PARTITION_KEY,
    RANGE_ID,
    START_EPK,
    BadRequestError,
    Call,
    RefusalError,
    Reply,
    UnsupportedError,
)
from local.cosmos.sql.plan import Scope
from local.cosmos.sql.query import Page, Request, run_query
from local.cosmos.store import Store

_DEFAULT_PAGE = 100
_LARGEST_PAGE = 1000
_MAX_DEPTH = 128
_TRIGGERS = ("x-ms-documentdb-pre-trigger-include", "x-ms-documentdb-post-trigger-include")
_READ_ALL = "SELECT * FROM c"

type Operation = Callable[[Container, Call], Reply]


class Documents:
    """Chooses and runs the operation of a call."""

    def __init__(self, store: Store, items: Items, batches: Batches) -> None:
        self._store = store
        self._items = items
        self._batches = batches

    def operation(self, call: Call) -> tuple[str, Operation]:
        """Return the operation's name, as metrics count it, and what runs it.

        Raises:
            RefusalError: 400 or 405; the call asks for what is not there.

        """
        if any(name in call.headers for name in _TRIGGERS):
            raise UnsupportedError("A trigger")
        if len(call.path) == 5:
            return self._on_feed(call)
        operation = {
            "GET": ("Read", self._read),
            "PUT": ("Replace", self._replace),
            "PATCH": ("Patch", self._patch),
            "DELETE": ("Delete", self._delete),
        }.get(call.method)
        if operation is None:
            raise RefusalError(HTTPStatus.METHOD_NOT_ALLOWED, "The method is not allowed here.")
        return operation

    def _on_feed(self, call: Call) -> tuple[str, Operation]:
        if call.method == "GET":
            return (
                ("ChangeFeed", self._changes)
                if call.headers.get("A-IM")
                else ("ReadFeed", self._all)
            )
        if call.method != "POST":
            raise RefusalError(HTTPStatus.METHOD_NOT_ALLOWED, "The method is not allowed here.")
        if call.flag("x-ms-cosmos-is-batch-request"):
            return "Batch", self._batch
        if call.flag("x-ms-cosmos-is-query-plan-request"):
            raise UnsupportedError("A query plan (every query is answered directly)")
        if call.flag("x-ms-documentdb-isquery"):
            return "Query", self._query
        if call.flag("x-ms-documentdb-is-upsert"):
            return "Upsert", self._upsert
        return "Create", self._create

    def _create(self, container: Container, call: Call) -> Reply:
        outcome = self._items.create(container, _key(container, call), _body(call))
        return _written(outcome, call)

    def _upsert(self, container: Container, call: Call) -> Reply:
        key = _key(container, call)
        return _written(self._items.upsert(container, key, _body(call), _conditions(call)), call)

    def _read(self, container: Container, call: Call) -> Reply:
        key = _key(container, call)
        return _answered(self._items.read(container, key, call.path[5], _conditions(call)))

    def _replace(self, container: Container, call: Call) -> Reply:
        key, item = _key(container, call), _body(call)
        outcome = self._items.replace(container, key, call.path[5], item, _conditions(call))
        return _written(outcome, call)

    def _patch(self, container: Container, call: Call) -> Reply:
        key, body = _key(container, call), _body(call)
        outcome = self._items.patch(container, key, call.path[5], body, _conditions(call))
        return _written(outcome, call)

    def _delete(self, container: Container, call: Call) -> Reply:
        key = _key(container, call)
        return _answered(self._items.delete(container, key, call.path[5], _conditions(call)))

    def _batch(self, container: Container, call: Call) -> Reply:
        if not call.flag("x-ms-cosmos-batch-atomic"):
            raise UnsupportedError("A batch that is not atomic")
        return self._batches.run(container, _key(container, call), _body(call), len(call.body))

    def _query(self, container: Container, call: Call) -> Reply:
        text, parameters = _query_of(_body(call))
        return self._page(container, call, text, parameters)

    def _all(self, container: Container, call: Call) -> Reply:
        return self._page(container, call, _READ_ALL, {}, whole=PARTITION_KEY not in call.headers)

    def _page(
        self,
        container: Container,
        call: Call,
        text: str,
        parameters: dict[str, Value],
        *,
        whole: bool = False,
    ) -> Reply:
        scope = Scope() if whole else _scope(container, call)
        continuation = call.headers.get(CONTINUATION)
        request = Request(text, parameters, scope, _page_size(call), continuation)
        return _paged(container, run_query(self._store, container, request))

    def _changes(self, container: Container, call: Call) -> Reply:
        if call.headers.get("A-IM", "").lower() != "incremental feed":
            raise UnsupportedError("A change feed with all versions and deletes")
        whole = START_EPK not in call.headers and PARTITION_KEY not in call.headers
        scope = Scope() if whole else _scope(container, call)
        return read_changes(self._store, container, scope, call, _page_size(call))


def _key(container: Container, call: Call) -> Key:
    header = call.headers.get(PARTITION_KEY)
    if header is None:
        raise BadRequestError("The partition key is missing: x-ms-documentdb-partitionkey.")
    key = container.key_of_header(header)
    if len(key.components) < len(container.key_paths):
        raise BadRequestError(
            "Partition key provided either doesn't correspond to definition in the collection or "
            "doesn't match partition key field values specified in the document."
        )
    return key


def _scope(container: Container, call: Call) -> Scope:
    headers = call.headers
    if START_EPK in headers:
        return Scope(low=headers[START_EPK], high=headers.get(END_EPK, ""))
    if PARTITION_KEY in headers:
        key = container.key_of_header(headers[PARTITION_KEY])
        if len(key.components) < len(container.key_paths):
            return Scope(low=key.epk, high=f"{key.epk}FF")
        return Scope(epk=key.epk)
    if call.flag("x-ms-documentdb-query-enablecrosspartition") or RANGE_ID in headers:
        return Scope()
    raise BadRequestError(
        "Cross partition query is required but disabled. Please set "
        "x-ms-documentdb-query-enablecrosspartition to true, specify "
        "x-ms-documentdb-partitionkey, or revise your query to avoid this exception."
    )


def _body(call: Call) -> Json:
    try:
        body = load(call.body.decode())
        if b"\\ud" in call.body or b"\\uD" in call.body:
            dump(body).encode()  # half a surrogate pair is no Unicode
    except (ValueError, RecursionError) as error:
        raise BadRequestError("The body is not valid JSON.") from error
    if call.body.count(b"[") + call.body.count(b"{") > _MAX_DEPTH and _depth(body) > _MAX_DEPTH:
        raise BadRequestError(f"The body nests deeper than {_MAX_DEPTH} levels.")
    return body


def _depth(value: Json) -> int:
    level: list[Json] = [value]
    depth = 0
    while level := [nested for nested in level if isinstance(nested, dict | list)]:
        depth += 1
        level = [
            inner
            for nested in level
            if isinstance(nested, dict | list)
            for inner in (nested.values() if isinstance(nested, dict) else nested)
        ]
    return depth


def _query_of(body: Json) -> tuple[str, dict[str, Value]]:
    text = body.get("query") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(text, str):
        raise BadRequestError("The body of a query is an object with 'query' and 'parameters'.")
    entries = body.get("parameters") or []
    parameters: dict[str, Value] = {}
    for parameter in entries if isinstance(entries, list) else []:
        if isinstance(parameter, dict):
            parameters[str(parameter.get("name"))] = parameter.get("value")
    return text, parameters


def _conditions(call: Call) -> Conditions:
    return Conditions(call.headers.get("If-Match"), call.headers.get("If-None-Match"))


def _page_size(call: Call) -> int:
    text = call.headers.get(MAX_ITEM_COUNT, "")
    try:
        size = int(text or _DEFAULT_PAGE)
    except ValueError:
        raise BadRequestError(f"{MAX_ITEM_COUNT} is not a number: {text}.") from None
    return min(size, _LARGEST_PAGE) if size > 0 else _LARGEST_PAGE


def _answered(outcome: Outcome) -> Reply:
    return Reply(outcome.status, outcome.text, charge=outcome.charge, etag=outcome.etag)


def _written(outcome: Outcome, call: Call) -> Reply:
    reply = _answered(outcome)
    if call.headers.get("Prefer", "").lower() == "return=minimal":
        reply.text = ""
    return reply


def _paged(container: Container, page: Page) -> Reply:
    headers = {"x-ms-item-count": str(len(page.rows))}
    if page.continuation:
        headers[CONTINUATION] = page.continuation
    rows = ",".join(page.rows)
    text = f'{{"_rid":"{container.rid}","Documents":[{rows}],"_count":{len(page.rows)}}}'
    return Reply(HTTPStatus.OK, text, charge=page.charge, headers=headers)
