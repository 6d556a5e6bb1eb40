"""From the parts of a query to closures over an item and the query's parameters."""

from collections.abc import Callable, Mapping

from local.cosmos.json_values import UNDEFINED, Json, Value, at_path
from local.cosmos.protocol import BadRequestError
from local.cosmos.sql.nodes import (
    Binary,
    Constant,
    InList,
    IsDefined,
    Node,
    Not,
    Parameter,
    Path,
)
from local.cosmos.sql.operators import OPERATIONS, both, is_in, negated

type Parameters = Mapping[str, Value]
type Scalar = Callable[[Json, Parameters], Value]


def compiled(node: Node, root: str) -> Scalar:
    """Return *node* as a closure; *root* is the alias of the items.

    Raises:
        BadRequestError: It names another alias.

    """
    match node:
        case Binary(operator, left, right):
            first, second = compiled(left, root), compiled(right, root)
            return _and(first, second) if operator == "AND" else _operation(operator, first, second)
        case Not(operand):
            inner = compiled(operand, root)
            return lambda item, parameters: negated(inner(item, parameters))
        case IsDefined(operand):
            inner = compiled(operand, root)
            return lambda item, parameters: inner(item, parameters) is not UNDEFINED
        case InList(operand, items):
            return _is_in(compiled(operand, root), [compiled(item, root) for item in items])
        case leaf:
            return _leaf(leaf, root)


def _leaf(node: Constant | Parameter | Path, root: str) -> Scalar:
    match node:
        case Constant(value):
            return lambda _item, _parameters: value
        case Parameter(name):
            return _parameter(name)
        case Path(alias, names):
            if alias != root:
                raise BadRequestError(f"Identifier '{alias}' could not be resolved.")
            return lambda item, _: at_path(item, names)


def _is_in(inner: Scalar, choices: list[Scalar]) -> Scalar:
    return lambda item, parameters: is_in(
        inner(item, parameters), [choice(item, parameters) for choice in choices]
    )


def _parameter(name: str) -> Scalar:
    def look_up(_: Json, parameters: Parameters) -> Value:
        try:
            return parameters[name]
        except KeyError:
            raise BadRequestError(f"The parameter '{name}' has no value.") from None

    return look_up


def _and(left: Scalar, right: Scalar) -> Scalar:
    def conjoin(item: Json, parameters: Parameters) -> Value:
        first = left(item, parameters)
        return False if first is False else both(first, right(item, parameters))

    return conjoin


def _operation(operator: str, left: Scalar, right: Scalar) -> Scalar:
    operate = OPERATIONS[operator]
    return lambda item, parameters: operate(left(item, parameters), right(item, parameters))
