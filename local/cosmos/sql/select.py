"""A compiled SELECT: joins, filter, groups, order, projection."""

from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice

from local.cosmos.json_values import UNDEFINED, SortKey, Value, canonical, sort_key
from local.cosmos.protocol import BadRequestError
from local.cosmos.sql.aggregates import aggregate
from local.cosmos.sql.compiler import Compiler, Environment, Rows, Scalar, built_object
from local.cosmos.sql.nodes import Column, Constant, Member, Name, Node, Query, Source
from local.cosmos.sql.parser import ROOT, star_alias


class Select:
    """One SELECT. Raises BadRequestError when it cannot be compiled."""

    def __init__(self, query: Query) -> None:
        self.query = query
        compiler = Compiler(lambda nested: Select(nested).rows)
        self._where = _optional(compiler, query.where)
        self._sources = [(source, _items(compiler, source)) for source in query.sources]
        self._group_by = [compiler.compile(node) for node in query.group_by]
        self._order_by = [
            (compiler.compile(ordering.node), ordering.descending) for ordering in query.order_by
        ]
        self._top = _optional(compiler, query.top)
        self._offset = _optional(compiler, query.offset)
        self._limit = _optional(compiler, query.limit)
        self.project = _projection(compiler, query)
        self._aggregates = compiler.aggregates

    @property
    def maps_rows(self) -> bool:
        """Tell whether each item gives at most one row, whatever the other items are."""
        query = self.query
        return not (
            query.sources or query.group_by or query.distinct or query.limit or self._aggregates
        )

    @property
    def is_whole(self) -> bool:
        """Tell whether a row is the item itself, unchanged."""
        query = self.query
        if query.sources:
            return False
        whole = not query.columns or (query.value and query.columns[0].node == Name(query.root))
        return whole and not self._aggregates

    def passes(self, env: Environment) -> bool:
        return self._where is None or self._where(env) is True

    def rows(self, env: Environment) -> Iterator[Value]:
        """Yield the rows of this SELECT nested in *env*."""
        return self.finished(self.joined(env), env)

    def joined(self, env: Environment) -> Iterator[Environment]:
        """Yield an environment for each combination of sources that passes the filter."""
        for bound in self._bound(env, 0):
            if self.passes(bound):
                yield bound

    def finished(self, found: Iterable[Environment], env: Environment) -> Iterator[Value]:
        """Yield the rows of the filtered environments *found*: grouped, ordered, projected, cut.

        Args:
            env: What holds whatever the rows are: the parameters, and the outer aliases.

        """
        if self._aggregates or self._group_by:
            found = self._grouped(found, env)
        rows = (row for row in map(self.project, self._ordered(found)) if row is not UNDEFINED)
        first, last = self.window(env)
        return islice(_distinct(rows) if self.query.distinct else rows, first, last)

    def window(self, env: Environment) -> tuple[int, int | None]:
        """Return the first row to give and the one to stop before, by OFFSET, LIMIT and TOP."""
        first = 0 if self._offset is None else _count(self._offset(env))
        size = self._limit or self._top
        return first, None if size is None else first + _count(size(env))

    def _bound(self, env: Environment, at: int) -> Iterator[Environment]:
        if at == len(self._sources):
            yield env
            return
        source, items = self._sources[at]
        for item in items(env):
            yield from self._bound({**env, source.alias: item}, at + 1)

    def _grouped(self, found: Iterable[Environment], outer: Environment) -> Iterator[Environment]:
        groups: dict[str, list[Environment]] = {}
        for env in found:
            key = "\n".join(canonical(scalar(env)) for scalar in self._group_by)
            groups.setdefault(key, []).append(env)
        if not groups and not self._group_by:
            groups[""] = []
        for members in groups.values():
            results = {
                f"#{at}": aggregate(name, (argument(env) for env in members))
                for at, (name, argument) in enumerate(self._aggregates)
            }
            yield {**outer, **(members[0] if members else {}), **results}

    def _ordered(self, found: Iterable[Environment]) -> Iterable[Environment]:
        if not self._order_by:
            return found
        kept = list(found)
        for scalar, descending in reversed(self._order_by):
            kept.sort(key=_keyed(scalar), reverse=descending)
        return kept


def _optional(compiler: Compiler, node: Node | None) -> Scalar | None:
    return None if node is None else compiler.compile(node)


def _keyed(scalar: Scalar) -> Callable[[Environment], SortKey]:
    return lambda env: sort_key(scalar(env))


def _count(value: Value) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadRequestError("TOP, OFFSET and LIMIT take whole numbers from 0.")
    return value


def _distinct(rows: Iterator[Value]) -> Iterator[Value]:
    seen: set[str] = set()
    for row in rows:
        text = canonical(row)
        if text not in seen:
            seen.add(text)
            yield row


def _items(compiler: Compiler, source: Source) -> Rows:
    if isinstance(source.node, Query):
        return Select(source.node).rows
    scalar = compiler.compile(source.node)

    def single(env: Environment) -> Iterator[Value]:
        value = scalar(env)
        if value is not UNDEFINED:
            yield value

    return _each(single) if source.each else single


def _each(rows: Rows) -> Rows:
    def unpacked(env: Environment) -> Iterator[Value]:
        for row in rows(env):
            if isinstance(row, list):
                yield from row

    return unpacked


def _projection(compiler: Compiler, query: Query) -> Scalar:
    if not query.columns:
        if len(query.sources) > (query.root in {"", ROOT}):
            raise BadRequestError("'SELECT *' is only valid with a single input set.")
        return compiler.compile(Name(star_alias(query)))
    if query.value:
        if len(query.columns) > 1:
            raise BadRequestError("'SELECT VALUE' takes one expression.")
        return compiler.compile(query.columns[0].node)
    unnamed = count(1)
    members = [
        (_column_name(column) or f"${next(unnamed)}", compiler.compile(column.node))
        for column in query.columns
    ]
    return lambda env: built_object(members, env)


def _column_name(column: Column) -> str | None:
    node = column.node
    if column.alias is None and isinstance(node, Member) and isinstance(node.key, Constant):
        return str(node.key.value)
    if column.alias is None and isinstance(node, Name):
        return node.name
    return column.alias
