"""Scalar expressions, by precedence climbing.

Source: learn.microsoft.com/azure/cosmos-db/nosql/query/scalar-expressions and the operator pages.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from local.cosmos.json_values import UNDEFINED
from local.cosmos.protocol import BadRequestError
from local.cosmos.sql.nodes import (
    ArrayNode,
    Between,
    Binary,
    Conditional,
    Constant,
    FunctionCall,
    InList,
    Like,
    Member,
    Name,
    Node,
    ObjectNode,
    Parameter,
    Query,
    Subquery,
    Unary,
)
from local.cosmos.sql.tokens import Token, number_of, string_of, syntax_error

_LEVELS = (
    ("OR",),
    ("AND",),
    ("=", "!=", "<>", "<", "<=", ">", ">="),
    ("|",),
    ("^",),
    ("&",),
    ("<<", ">>", ">>>"),
    ("||",),
    ("+", "-"),
    ("*", "/", "%"),
)
_COMPARISON = 2
_LITERALS = {"TRUE": True, "FALSE": False, "NULL": None, "UNDEFINED": UNDEFINED}
_KEYWORDS = frozenset({
    "AND", "AS", "ASC", "BETWEEN", "BY", "DESC", "DISTINCT", "ESCAPE", "EXISTS", "FROM", "GROUP",
    "IN", "JOIN", "LIKE", "LIMIT", "NOT", "OFFSET", "OR", "ORDER", "SELECT", "TOP", "VALUE",
    "WHERE",
})  # fmt: skip
_MAX_DEPTH = 200


class ExpressionParser(ABC):
    """A cursor over tokens that parses scalars."""

    def __init__(self, tokens: Sequence[Token], text: str) -> None:
        self._tokens = tokens
        self._text = text
        self._at = 0
        self._depth = 0

    @abstractmethod
    def query(self) -> Query: ...

    def accept(self, *words: str) -> str:
        """Step over one of *words* and return it; return "" and stay when another word is next."""
        found = self._tokens[self._at].upper
        if found and found in words:
            self._at += 1
            return found
        return ""

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self._error()

    def expect_end(self) -> None:
        if self._tokens[self._at].kind != "end":
            raise self._error()

    def at_keyword(self) -> bool:
        return self._tokens[self._at].upper in _KEYWORDS

    def accept_name(self) -> str | None:
        return self.name() if self._tokens[self._at].kind == "name" else None

    def name(self) -> str:
        token = self._tokens[self._at]
        if token.kind != "name":
            raise self._error()
        self._at += 1
        return token.text

    def scalars(self) -> tuple[Node, ...]:
        found = [self.scalar()]
        while self.accept(","):
            found.append(self.scalar())
        return tuple(found)

    def scalar(self) -> Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise BadRequestError("The query nests too deeply.")
        node = self._binary(0)
        while self.accept("??"):
            node = Binary("??", node, self._binary(0))
        if self.accept("?"):
            then = self.scalar()
            self.expect(":")
            node = Conditional(node, then, self.scalar())
        self._depth -= 1
        return node

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        if level == _COMPARISON and self.accept("NOT"):
            return Unary("NOT", self._binary(level))
        node = self._binary(level + 1)
        while operator := self.accept(*_LEVELS[level]):
            node = Binary(operator, node, self._binary(level + 1))
        return self._membership(node) if level == _COMPARISON else node

    def _membership(self, node: Node) -> Node:
        negated = self.accept("NOT")
        if self.accept("IN"):
            self.expect("(")
            found: Node = InList(node, self.scalars())
            self.expect(")")
        elif self.accept("BETWEEN"):
            low = self._binary(_COMPARISON + 1)
            self.expect("AND")
            found = Between(node, low, self._binary(_COMPARISON + 1))
        elif self.accept("LIKE"):
            pattern = self._binary(_COMPARISON + 1)
            found = Like(node, pattern, self._string() if self.accept("ESCAPE") else "")
        elif negated:
            raise self._error()
        else:
            return node
        return Unary("NOT", found) if negated else found

    def _string(self) -> str:
        token = self._tokens[self._at]
        if token.kind != "string":
            raise self._error()
        self._at += 1
        return string_of(token)

    def _unary(self) -> Node:
        if operator := self.accept("-", "+", "~"):
            return Unary(operator, self._unary())
        return self.path_from(self.primary())

    def path_from(self, node: Node) -> Node:
        """Parse `.name` and `[key]` steps that follow *node*."""
        while step := self.accept(".", "["):
            if step == ".":
                if self.at_keyword():  # the service wants c["value"] for such names
                    raise self._error()
                node = Member(node, Constant(self.name()))
            else:
                node = Member(node, self.scalar())
                self.expect("]")
        return node

    def primary(self) -> Node:
        token = self._tokens[self._at]
        if token.kind == "name":
            return self._word(token)
        if token.kind == "symbol":
            return self._bracketed()
        self._at += 1
        if token.kind == "number":
            return Constant(number_of(token))
        if token.kind == "string":
            return Constant(string_of(token))
        if token.kind == "parameter":
            return Parameter(token.text)
        self._at -= 1
        raise self._error()

    def _word(self, token: Token) -> Node:
        following = self._tokens[self._at + 1].text
        if token.upper in {"EXISTS", "ARRAY"} and following == "(":
            self._at += 2
            query = self.query()
            self.expect(")")
            return Subquery("exists" if token.upper == "EXISTS" else "array", query)
        if token.upper in _KEYWORDS:
            raise self._error()
        self._at += 1
        if following == "(":
            return self._call(token.upper)
        if token.upper == "UDF" and following == ".":
            raise BadRequestError("User-defined functions are not supported by the local stand-in.")
        if token.upper in _LITERALS:
            return Constant(_LITERALS[token.upper])
        return Name(token.text)

    def _call(self, name: str) -> Node:
        self.expect("(")
        if self.accept(")"):
            return FunctionCall(name, ())
        arguments = self.scalars()
        self.expect(")")
        return FunctionCall(name, arguments)

    def _bracketed(self) -> Node:
        opening = self.accept("(", "[", "{")
        if opening == "(":
            node = self._group()
            self.expect(")")
            return node
        if opening == "[":
            items = () if self._next_is("]") else self.scalars()
            self.expect("]")
            return ArrayNode(items)
        if opening == "{":
            return self._object()
        raise self._error()

    def _group(self) -> Node:
        return Subquery("scalar", self.query()) if self._next_is("SELECT") else self.scalar()

    def _object(self) -> Node:
        members: list[tuple[str, Node]] = []
        while not self.accept("}"):
            if members:
                self.expect(",")
            named = self._tokens[self._at].kind == "string"
            key = self._string() if named else self.name()
            self.expect(":")
            members.append((key, self.scalar()))
        return ObjectNode(tuple(members))

    def _next_is(self, word: str) -> bool:
        return self._tokens[self._at].upper == word

    def _error(self) -> BadRequestError:
        return syntax_error(self._text, self._tokens[self._at].at)
