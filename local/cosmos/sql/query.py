"""A query run page by page.

Continuation tokens are the stand-in's own: `k` and the place of the last item looked at, where
items map to rows one by one, so that a page neither repeats nor skips an item that was there all
along; `o` and a number of rows where the whole result has to be worked out for each page.
"""

# ruff: noqa: S608 - table names are made of our own numbers

import base64
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from local.cosmos import charge
from local.cosmos.container import Container
from local.cosmos.json_values import UNDEFINED, Json, Value, dump, load
from local.cosmos.protocol import BadRequestError
from local.cosmos.sql.parser import parse_condition, parse_query
from local.cosmos.sql.plan import Scope, check_order, filter_of, ordered_column
from local.cosmos.sql.select import Select
from local.cosmos.sql.walk import Walk
from local.cosmos.store import SqlValue, Store

_MAX_PAGE_BYTES = 4 * 1024 * 1024


@dataclass(slots=True)
class Page:
    """One page: the JSON text of each row, the token for the next page, the charge."""

    rows: list[str]
    continuation: str | None
    charge: float


@dataclass(frozen=True, slots=True)
class Request:
    """A query as a call asks it. Parameter names carry their `@`."""

    text: str
    parameters: Mapping[str, Value]
    scope: Scope
    page_size: int
    continuation: str | None = None


@lru_cache(maxsize=512)
def _compiled(text: str) -> Select:
    return Select(parse_query(text))


@lru_cache(maxsize=128)
def _compiled_condition(text: str) -> Select:
    return Select(parse_condition(text))


def matches(condition: str, item: Json) -> bool:
    """Tell whether *item* passes a patch's `FROM c WHERE ...`. Raises BadRequestError."""
    select = _compiled_condition(condition)
    return select.passes(item, {})


def run_query(store: Store, container: Container, request: Request) -> Page:
    """Return one page of the result.

    Raises:
        BadRequestError: The query is wrong, or the container's indexes cannot serve its order.

    """
    store.expire(container)
    run = _Run(store, container, request)
    return run.page()


class _Run:
    def __init__(self, store: Store, container: Container, request: Request) -> None:
        self._store = store
        self._container = container
        self._request = request
        self._select = _compiled(request.text)
        self._loaded_bytes = 0
        check_order(container, self._select.query)
        self._filter = filter_of(container, request.scope, self._select.query, request.parameters)

    def page(self) -> Page:
        query = self._select.query
        column = ordered_column(self._container, self._request.scope, query)
        if not query.distinct and (column or query.order_by is None):
            descending = query.order_by is not None and query.order_by.descending
            return self._streamed(Walk(column, descending=descending))
        return self._worked_out()

    def _streamed(self, walk: Walk) -> Page:
        count, *place = self._resumed("k")
        walk.resume(self._filter, place)
        last = self._select.most(self._request.parameters)
        room = self._request.page_size
        if last is not None:
            room = min(room, last - _whole(count))
        rows: list[str] = []
        size = 0
        with closing(self._records(f"{walk.first}, {walk.second}", walk.order)) as records:
            for first, second, body in records:
                if len(rows) >= room or size > _MAX_PAGE_BYTES:
                    more = last is None or _whole(count) + len(rows) < last
                    return self._page(rows, ("k", _whole(count) + len(rows), *place), more=more)
                place = [first, second]
                text = self._row(body)
                if text is not None:
                    rows.append(text)
                    size += len(text)
        return self._page(rows, (), more=False)

    def _row(self, body: str) -> str | None:
        self._loaded_bytes += len(body)
        select = self._select
        if select.is_whole and select.query.where is None:
            return body
        item, parameters = load(body), self._request.parameters
        if not select.passes(item, parameters):
            return None
        if select.is_whole:
            return body
        value = select.project(item, parameters)
        return None if value is UNDEFINED else dump(value)

    def _worked_out(self) -> Page:
        (skipped,) = self._resumed("o")
        start, stop = _whole(skipped), _whole(skipped) + self._request.page_size
        every = self._select.rows(self._items(), self._request.parameters)
        rows = list(islice(every, stop + 1))
        texts = [dump(row) for row in rows[start:stop] if row is not UNDEFINED]
        return self._page(texts, ("o", stop), more=len(rows) > stop)

    def _items(self) -> Iterator[Json]:
        with closing(self._records("epk, id", "epk, id")) as records:
            for _, _, body in records:
                self._loaded_bytes += len(body)
                yield load(body)

    def _records(self, columns: str, order: str) -> sqlite3.Cursor:
        return self._store.select(
            f"SELECT {columns}, body FROM {self._container.table} "
            f"WHERE {self._filter.where} ORDER BY {order}",
            self._filter.parameters,
        )

    def _page(self, rows: list[str], place: Sequence[Json], *, more: bool) -> Page:
        token = base64.urlsafe_b64encode(dump(list(place)).encode()).decode() if more else None
        return Page(rows, token, charge.query_page(self._loaded_bytes))

    def _resumed(self, kind: str) -> list[SqlValue]:
        if not self._request.continuation:
            return [0]
        try:
            token = load(base64.urlsafe_b64decode(self._request.continuation).decode())
        except ValueError:
            token = None
        if not isinstance(token, list) or len(token) not in {2, 4} or token[0] != kind:
            raise BadRequestError("The continuation token is invalid for this query.")
        return [part for part in token[1:] if not isinstance(part, list | dict)]


def _whole(value: SqlValue) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRequestError("The continuation token is invalid for this query.")
    return value
