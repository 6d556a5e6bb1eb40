"""A compiled SELECT: filter, order, projection, number of rows."""

from collections.abc import Iterable, Iterator
from itertools import count, islice

from local.cosmos.json_values import UNDEFINED, Json, Value, at_path, canonical, sort_key
from local.cosmos.protocol import BadRequestError
from local.cosmos.sql.compiler import Parameters, Scalar, compiled
from local.cosmos.sql.nodes import Column, Path, Query


class Select:
    """One SELECT. Raises BadRequestError when it cannot be compiled."""

    def __init__(self, query: Query) -> None:
        self.query = query
        self._where = None if query.where is None else compiled(query.where, query.root)
        self._top = None if query.top is None else compiled(query.top, query.root)
        self.project = _projection(query)

    @property
    def is_whole(self) -> bool:
        """Tell whether a row is the item itself, unchanged."""
        query = self.query
        whole = Path(query.root, ())
        return not query.columns or (query.value and query.columns[0].node == whole)

    def passes(self, item: Json, parameters: Parameters) -> bool:
        return self._where is None or self._where(item, parameters) is True

    def rows(self, items: Iterable[Json], parameters: Parameters) -> Iterator[Value]:
        """Yield the rows that *items* give: filtered, ordered, projected, distinct, cut."""
        passing = [item for item in items if self.passes(item, parameters)]
        ordering = self.query.order_by
        if ordering is not None:
            passing.sort(
                key=lambda item: sort_key(at_path(item, ordering.path)),
                reverse=ordering.descending,
            )
        rows = (self.project(item, parameters) for item in passing)
        defined = (row for row in rows if row is not UNDEFINED)
        return islice(_distinct(defined) if self.query.distinct else defined, self.most(parameters))

    def most(self, parameters: Parameters) -> int | None:
        """Return how many rows there are at most, by TOP."""
        if self._top is None:
            return None
        value = self._top(None, parameters)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise BadRequestError("TOP takes a whole number from 0.")
        return value


def _distinct(rows: Iterator[Value]) -> Iterator[Value]:
    yielded: set[str] = set()
    for row in rows:
        text = canonical(row)
        if text not in yielded:
            yielded.add(text)
            yield row


def _projection(query: Query) -> Scalar:
    if not query.columns:
        return lambda item, _: item
    if query.value:
        if len(query.columns) > 1:
            raise BadRequestError("'SELECT VALUE' takes one expression.")
        return compiled(query.columns[0].node, query.root)
    unnamed = count(1)
    members = [
        (_column_name(column) or f"${next(unnamed)}", compiled(column.node, query.root))
        for column in query.columns
    ]

    def project(item: Json, parameters: Parameters) -> Value:
        row: dict[str, Json] = {}
        for name, scalar in members:
            value = scalar(item, parameters)
            if value is not UNDEFINED:
                row[name] = value
        return row

    return project


def _column_name(column: Column) -> str | None:
    node = column.node
    if column.alias is None and isinstance(node, Path):
        return node.names[-1] if node.names else node.alias
    return column.alias
