"""SELECT statements: clauses. Scalars are in `expressions`.

Source: learn.microsoft.com/azure/cosmos-db/nosql/query (select, from, group-by, order-by,
offset-limit, join).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import override

from local.cosmos.sql.expressions import ExpressionParser
from local.cosmos.sql.nodes import (
    Column,
    Constant,
    Member,
    Name,
    Node,
    Ordering,
    Query,
    Source,
)
from local.cosmos.sql.tokens import Token, tokens_of

ROOT = "$root"


@lru_cache(maxsize=512)
def parse_query(text: str) -> Query:
    """Parse a SELECT. Raises BadRequestError where it is no query."""
    parser = QueryParser(tokens_of(text), text)
    query = parser.query()
    parser.expect_end()
    return query


@lru_cache(maxsize=512)
def parse_condition(text: str) -> Query:
    """Parse a patch's `FROM ... WHERE ...`. Raises BadRequestError where it is none."""
    return parse_query(f"SELECT VALUE true {text}")


class QueryParser(ExpressionParser):
    """Parses a whole SELECT, and the subqueries inside its scalars."""

    def __init__(self, tokens: Sequence[Token], text: str) -> None:
        super().__init__(tokens, text)
        self._nesting = 0

    @override
    def query(self) -> Query:
        self._nesting += 1
        query = self._select()
        self._nesting -= 1
        return query

    def _select(self) -> Query:
        self.expect("SELECT")
        top: Node | None = None
        distinct = value = False
        while word := self.accept("TOP", "DISTINCT", "VALUE"):
            if word == "TOP":
                top = self.primary()
            distinct |= word == "DISTINCT"
            value |= word == "VALUE"
        columns = () if self.accept("*") else self._columns()
        root, sources = self._from()
        where = self.scalar() if self.accept("WHERE") else None
        return Query(
            columns, value, distinct, top, root, sources, where,
            self._group_by(), self._order_by(), *self._offset_limit(),
        )  # fmt: skip

    def _columns(self) -> tuple[Column, ...]:
        columns = [self._column()]
        while self.accept(","):
            columns.append(self._column())
        return tuple(columns)

    def _column(self) -> Column:
        node = self.scalar()
        if self.accept("AS"):
            return Column(node, self.name())
        alias = None if self.at_keyword() else self.accept_name()
        return Column(node, alias)

    def _from(self) -> tuple[str, tuple[Source, ...]]:
        if not self.accept("FROM"):
            return "", ()
        top_level = self._nesting == 1
        source = self._source(first=top_level)
        root = ROOT if top_level else ""
        sources = [source]
        if top_level and isinstance(source.node, Name) and not source.each:
            root, sources = source.alias, []
        while self.accept("JOIN"):
            sources.append(self._source(first=False))
        return root, tuple(sources)

    def _source(self, *, first: bool) -> Source:
        if self.accept("("):
            query = self._nested()
            self.accept("AS")
            return Source(self.name(), query, each=False)
        word = self.name()
        if self.accept("IN"):
            if self.accept("("):
                return Source(word, self._nested(), each=True)
            return Source(word, self._container_path(self.name(), first=first), each=True)
        node = self._container_path(word, first=first)
        self.accept("AS")
        alias = None if self.at_keyword() else self.accept_name()
        return Source(alias or _last_name(node, word), node, each=False)

    def _nested(self) -> Query:
        query = self.query()
        self.expect(")")
        return query

    def _container_path(self, word: str, *, first: bool) -> Node:
        # The first source starts at the container, whatever it is called there.
        path = self.path_from(Name(word))
        return _rebased(path) if first and isinstance(path, Member) else path

    def _group_by(self) -> tuple[Node, ...]:
        if not self.accept("GROUP"):
            return ()
        self.expect("BY")
        return self.scalars()

    def _order_by(self) -> tuple[Ordering, ...]:
        if not self.accept("ORDER"):
            return ()
        self.expect("BY")
        found: list[Ordering] = []
        while not found or self.accept(","):
            node = self.scalar()
            found.append(Ordering(node, self.accept("ASC", "DESC") == "DESC"))
        return tuple(found)

    def _offset_limit(self) -> tuple[Node | None, Node | None]:
        if not self.accept("OFFSET"):
            return None, None
        offset = self.primary()
        self.expect("LIMIT")
        return offset, self.primary()


def _rebased(path: Node) -> Node:
    if isinstance(path, Member):
        return Member(_rebased(path.base), path.key)
    return Name(ROOT)


def _last_name(node: Node, word: str) -> str:
    if isinstance(node, Member) and isinstance(node.key, Constant):
        return str(node.key.value)
    return word


def star_alias(query: Query) -> str:
    """Return the alias `SELECT *` stands for."""
    return query.sources[0].alias if query.sources else query.root
