"""SELECT statements, by recursive descent.

It serves the clauses and operators that the app and the SDK send, and refuses the others by name,
so that nobody takes them for a typing error.

Source: learn.microsoft.com/azure/cosmos-db/nosql/query (select, from, where, order-by, operators).
"""

from collections.abc import Sequence
from functools import lru_cache

from local.cosmos.json_values import UNDEFINED
from local.cosmos.protocol import BadRequestError, RefusalError, UnsupportedError
from local.cosmos.sql.nodes import (
    Binary,
    Column,
    Constant,
    InList,
    IsDefined,
    Node,
    Not,
    Ordering,
    Parameter,
    Path,
    Query,
)
from local.cosmos.sql.tokens import Token, number_of, string_of, syntax_error, tokens_of

_COMPARISONS = ("=", "!=", "<>", "<", "<=", ">", ">=")
_LITERALS = {"TRUE": True, "FALSE": False, "NULL": None, "UNDEFINED": UNDEFINED}
_KEYWORDS = frozenset({
    "AND", "AS", "ASC", "BETWEEN", "BY", "DESC", "DISTINCT", "ESCAPE", "EXISTS", "FROM", "GROUP",
    "IN", "JOIN", "LIKE", "LIMIT", "NOT", "OFFSET", "OR", "ORDER", "SELECT", "TOP", "VALUE",
    "WHERE",
})  # fmt: skip
_UNSERVED = frozenset({
    "JOIN", "GROUP", "OFFSET", "LIKE", "BETWEEN", "EXISTS", "SELECT", "??", "?", "||", "+", "-",
    "*", "/", "%", "&", "|", "^", "<<", ">>", ">>>", "~", "[", "{",
})  # fmt: skip
_MAX_DEPTH = 200


@lru_cache(maxsize=512)
def parse_query(text: str) -> Query:
    """Parse a SELECT.

    Raises:
        BadRequestError: *text* is not a query.
        UnsupportedError: It uses a part of the language that is not served here.

    """
    return _Parser(tokens_of(text), text).query()


@lru_cache(maxsize=512)
def parse_condition(text: str) -> Query:
    """Parse a patch's `FROM ... WHERE ...`; raise as `parse_query` does."""
    return parse_query(f"SELECT VALUE true {text}")


class _Parser:
    """A cursor over tokens."""

    def __init__(self, tokens: Sequence[Token], text: str) -> None:
        self._tokens = tokens
        self._text = text
        self._at = 0
        self._depth = 0

    def query(self) -> Query:
        self._expect("SELECT")
        top: Constant | Parameter | None = None
        distinct = value = False
        while word := self._accept("TOP", "DISTINCT", "VALUE"):
            if word == "TOP":
                top = self._constant()
            distinct |= word == "DISTINCT"
            value |= word == "VALUE"
        columns = () if self._accept("*") else self._columns()
        self._expect("FROM")
        root = self._root()
        where = self._scalar() if self._accept("WHERE") else None
        query = Query(columns, value, distinct, top, root, where, self._order_by(root))
        if self._next.kind != "end":
            raise self._error()
        return query

    def _columns(self) -> tuple[Column, ...]:
        columns = [self._column()]
        while self._accept(","):
            columns.append(self._column())
        return tuple(columns)

    def _column(self) -> Column:
        node = self._scalar()
        if self._accept("AS"):
            return Column(node, self._name())
        is_named = self._next.kind == "name" and self._next.upper not in _KEYWORDS
        return Column(node, self._name() if is_named else None)

    def _root(self) -> str:
        name = self._name()
        if self._next.upper in {".", "[", "IN"}:
            raise UnsupportedError("FROM a part of the items")
        is_named = self._accept("AS") or self._next.kind == "name"
        return self._name() if is_named and self._next.upper not in _KEYWORDS else name

    def _order_by(self, root: str) -> Ordering | None:
        if not self._accept("ORDER"):
            return None
        self._expect("BY")
        node = self._primary()
        if not isinstance(node, Path) or node.alias != root or not node.names:
            raise UnsupportedError("ORDER BY something other than a property")
        descending = self._accept("ASC", "DESC") == "DESC"
        if self._next.upper == ",":
            raise UnsupportedError("ORDER BY several properties")
        return Ordering(node.names, descending)

    def _scalar(self) -> Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise BadRequestError("The query nests too deeply.")
        node = self._conjunction()
        while self._accept("OR"):
            node = Binary("OR", node, self._conjunction())
        self._depth -= 1
        return node

    def _conjunction(self) -> Node:
        node = self._comparison()
        while self._accept("AND"):
            node = Binary("AND", node, self._comparison())
        return node

    def _comparison(self) -> Node:
        if self._accept("NOT"):
            return Not(self._comparison())
        node = self._primary()
        while operator := self._accept(*_COMPARISONS):
            node = Binary(operator, node, self._primary())
        negated = self._accept("NOT")
        if self._accept("IN"):
            node = InList(node, self._list())
            return Not(node) if negated else node
        if negated:
            raise self._error()
        return node

    def _list(self) -> tuple[Node, ...]:
        self._expect("(")
        items = [self._scalar()]
        while self._accept(","):
            items.append(self._scalar())
        self._expect(")")
        return tuple(items)

    def _primary(self) -> Node:
        if self._accept("("):
            node = self._scalar()
            self._expect(")")
            return node
        if self._next.kind == "name" and self._next.upper not in {*_KEYWORDS, *_LITERALS}:
            return self._call() if self._tokens[self._at + 1].text == "(" else self._path()
        return self._constant()

    def _call(self) -> Node:
        name = self._name().upper()
        if name != "IS_DEFINED":
            raise UnsupportedError(f"The function {name}")
        items = self._list()
        if len(items) != 1:
            raise BadRequestError(f"The {name} function has a wrong number of arguments.")
        return IsDefined(items[0])

    def _path(self) -> Path:
        alias = self._name()
        if alias.upper() == "UDF":
            raise UnsupportedError("A user-defined function")
        names: list[str] = []
        while step := self._accept(".", "["):
            if step == ".":
                if self._next.upper in _KEYWORDS:  # the service wants c["value"] for such names
                    raise self._error()
                names.append(self._name())
            else:
                names.append(self._quoted_name())
        return Path(alias, tuple(names))

    def _quoted_name(self) -> str:
        if self._next.kind != "string":
            raise UnsupportedError("An array's element in a query")
        name = string_of(self._take())
        self._expect("]")
        return name

    def _constant(self) -> Constant | Parameter:
        sign = -1 if self._next.text == "-" and self._tokens[self._at + 1].kind == "number" else 1
        self._at += sign == -1
        match self._next.kind:
            case "number":
                return Constant(sign * number_of(self._take()))
            case "string":
                return Constant(string_of(self._take()))
            case "parameter":
                return Parameter(self._take().text)
        if self._next.upper in _LITERALS:
            return Constant(_LITERALS[self._take().upper])
        raise self._error()

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += 1
        return token

    def _accept(self, *words: str) -> str:
        """Step over one of *words* and return it; return "" and stay when another word is next."""
        word = self._next.upper
        if word and word in words:
            self._at += 1
            return word
        return ""

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self._error()

    def _name(self) -> str:
        if self._next.kind != "name":
            raise self._error()
        return self._take().text

    def _error(self) -> RefusalError:
        if self._at and self._next.upper in _UNSERVED:
            return UnsupportedError(f"{self._next.upper} in a query")
        return syntax_error(self._text, self._next.at)
