"""From the parts of a query to closures over an environment.

An environment maps aliases to values and parameters, with their `@`, to theirs. Inside a query
with aggregates, `#0`, `#1` ... stand for the results of its aggregate calls.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from local.cosmos.json_values import UNDEFINED, Json, Value, equal
from local.cosmos.protocol import BadRequestError
from local.cosmos.sql.aggregates import is_aggregate
from local.cosmos.sql.functions import FUNCTIONS
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
from local.cosmos.sql.operators import OPERATIONS, UNARY, both, member

type Environment = dict[str, Value]
type Scalar = Callable[[Environment], Value]
type Rows = Callable[[Environment], Iterator[Value]]


class Compiler:
    """Compiles the scalars of one SELECT; collects the aggregate calls it meets.

    Args:
        subquery: Compiles a nested SELECT to what yields its rows in an environment.

    """

    def __init__(self, subquery: Callable[[Query], Rows]) -> None:
        self._subquery = subquery
        self.aggregates: list[tuple[str, Scalar]] = []

    def compile(self, node: Node) -> Scalar:
        """Return *node* as a closure. Raises BadRequestError for an unknown function."""
        if isinstance(node, Constant | Parameter | Name):
            return _leaf(node)
        if isinstance(node, Member | Unary | Binary | Conditional):
            return self._operator(node)
        if isinstance(node, InList | Between | Like):
            return self._test(node)
        if isinstance(node, FunctionCall):
            return self._call(node.name, node.arguments)
        return self._nested(node) if isinstance(node, Subquery) else self._built(node)

    def _operator(self, node: Member | Unary | Binary | Conditional) -> Scalar:
        match node:
            case Member(base, Constant(value)) if isinstance(value, str):
                return _property(self.compile(base), value)
            case Member(base, key):
                of, at = self.compile(base), self.compile(key)
                return lambda env: member(of(env), at(env))
            case Unary(operator, operand):
                act, only = UNARY[operator], self.compile(operand)
                return lambda env: act(only(env))
            case Binary("AND", first, second):
                return _and(self.compile(first), self.compile(second))
            case Binary(operator, first, second):
                operate, left, right = (
                    OPERATIONS[operator],
                    self.compile(first),
                    self.compile(second),
                )
                return lambda env: operate(left(env), right(env))
            case Conditional(condition, yes, no):
                test, then, otherwise = map(self.compile, (condition, yes, no))
                return lambda env: then(env) if test(env) is True else otherwise(env)

    def _test(self, node: InList | Between | Like) -> Scalar:
        operand = self.compile(node.operand)
        match node:
            case InList(_, items):
                choices = [self.compile(item) for item in items]
                return lambda env: _is_in(operand(env), [choice(env) for choice in choices])
            case Between(_, lower, upper):
                low, high = self.compile(lower), self.compile(upper)
                return lambda env: _is_between(operand(env), low(env), high(env))
            case Like(_, pattern, escape):
                wanted = self.compile(pattern)
                return lambda env: _is_like(operand(env), wanted(env), escape)

    def _call(self, name: str, arguments: tuple[Node, ...]) -> Scalar:
        if is_aggregate(name) and len(arguments) == 1:
            self.aggregates.append((name, self.compile(arguments[0])))
            return _alias(f"#{len(self.aggregates) - 1}")
        function, counts = FUNCTIONS.get(name, (None, ()))
        if function is None:
            raise BadRequestError(f"'{name}' is not a recognized built-in function name.")
        if len(arguments) not in counts:
            raise BadRequestError(f"The {name} function has a wrong number of arguments.")
        parts = [self.compile(argument) for argument in arguments]
        return lambda env: function(*(part(env) for part in parts))

    def _built(self, node: ObjectNode | ArrayNode) -> Scalar:
        if isinstance(node, ArrayNode):
            items = [self.compile(item) for item in node.items]
            return lambda env: _defined(item(env) for item in items)
        members = [(key, self.compile(value)) for key, value in node.members]
        return lambda env: built_object(members, env)

    def _nested(self, node: Subquery) -> Scalar:
        rows = self._subquery(node.query)
        if node.kind == "exists":
            return lambda env: any(row is not UNDEFINED for row in rows(env))
        if node.kind == "array":
            return lambda env: _defined(rows(env))
        return lambda env: next(rows(env), UNDEFINED)


def built_object(members: list[tuple[str, Scalar]], env: Environment) -> dict[str, Json]:
    """Return the object of *members*, without those that are undefined."""
    built: dict[str, Json] = {}
    for key, scalar in members:
        value = scalar(env)
        if value is not UNDEFINED:
            built[key] = value
    return built


def _defined(values: Iterator[Value]) -> list[Json]:
    return [value for value in values if value is not UNDEFINED]


def _leaf(node: Constant | Parameter | Name) -> Scalar:
    if isinstance(node, Constant):
        value = node.value
        return lambda _: value
    if isinstance(node, Parameter):
        return _bound(node.name, f"The parameter '{node.name}' has no value.")
    return _alias(node.name)


def _alias(name: str) -> Scalar:
    return _bound(name, f"Identifier '{name}' could not be resolved.")


def _bound(name: str, message: str) -> Scalar:
    def look_up(env: Environment) -> Value:
        try:
            return env[name]
        except KeyError:
            raise BadRequestError(message) from None

    return look_up


def _property(base: Scalar, name: str) -> Scalar:
    def look_up(env: Environment) -> Value:
        owner = base(env)
        return owner.get(name, UNDEFINED) if isinstance(owner, dict) else UNDEFINED

    return look_up


def _and(left: Scalar, right: Scalar) -> Scalar:
    def conjoin(env: Environment) -> Value:
        first = left(env)
        return False if first is False else both(first, right(env))

    return conjoin


def _is_in(value: Value, choices: list[Value]) -> Value:
    if value is UNDEFINED:
        return UNDEFINED
    return any(choice is not UNDEFINED and equal(value, choice) for choice in choices)


def _is_between(value: Value, low: Value, high: Value) -> Value:
    return both(OPERATIONS[">="](value, low), OPERATIONS["<="](value, high))


def _is_like(value: Value, pattern: Value, escape: str) -> Value:
    if not isinstance(value, str) or not isinstance(pattern, str):
        return UNDEFINED
    return _like_pattern(pattern, escape).fullmatch(value) is not None


@lru_cache(maxsize=256)
def _like_pattern(pattern: str, escape: str) -> re.Pattern[str]:
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        letter = pattern[at]
        if escape and letter == escape and at + 1 < len(pattern):
            at += 1
            parts.append(re.escape(pattern[at]))
        elif letter == "[" and "]" in pattern[at:]:
            end = pattern.index("]", at)
            inner = pattern[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            parts.append(f"[{inner}]")
            at = end
        else:
            parts.append({"%": ".*", "_": "."}.get(letter) or re.escape(letter))
        at += 1
    try:
        return re.compile("".join(parts), re.DOTALL)
    except re.error as error:
        raise BadRequestError(f"The LIKE pattern '{pattern}' is invalid.") from error
