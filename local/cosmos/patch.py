"""Partial document update: the operations of a PATCH body, applied to an item.

Source: learn.microsoft.com/azure/cosmos-db/partial-document-update: at most ten operations; `add`
inserts into arrays, `set` writes over; a parent must exist.
"""

import copy
from collections.abc import Callable, Sequence

from local.cosmos.indexing import path_of
from local.cosmos.json_values import Json, JsonPath
from local.cosmos.protocol import BadRequestError

_MAX_OPERATIONS = 10
_SYSTEM = frozenset({"id", "_rid", "_self", "_etag", "_ts", "_attachments"})
_END = "-"

type _Holder = dict[str, Json] | list[Json]


def apply_patch(
    item: dict[str, Json], operations: Json, key_paths: Sequence[JsonPath]
) -> dict[str, Json]:
    """Return a changed copy of *item*.

    Raises:
        BadRequestError: Too many operations or none, an unknown one, a path that does not exist
            or must not change. Nothing of *item* was touched.

    """
    if not isinstance(operations, list) or not 1 <= len(operations) <= _MAX_OPERATIONS:
        raise BadRequestError(f"A patch takes 1 to {_MAX_OPERATIONS} operations.")
    changed = copy.deepcopy(item)
    for at, operation in enumerate(operations, start=1):
        try:
            _apply(changed, operation, key_paths)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise BadRequestError(f"For Operation({at}): {_sentence(error)}") from error
    return changed


def _sentence(error: Exception) -> str:
    return str(error.args[0]) if error.args else type(error).__name__


def _apply(item: dict[str, Json], operation: Json, key_paths: Sequence[JsonPath]) -> None:
    if not isinstance(operation, dict):
        sentence = "an operation is an object"
        raise TypeError(sentence)
    path = _changeable(operation.get("path"), key_paths)
    name = str(operation.get("op", "")).lower()
    if name == "move":
        _move(item, path, _changeable(operation.get("from"), key_paths))
        return
    act = _ACTIONS.get(name)
    if act is None:
        sentence = f"unknown operation '{operation.get('op')}'"
        raise ValueError(sentence)
    if act is not _remove and "value" not in operation:
        sentence = "the operation needs a value"
        raise ValueError(sentence)
    act(item, path, operation.get("value"))


def _changeable(text: Json, key_paths: Sequence[JsonPath]) -> JsonPath:
    path = tuple(
        name.replace("~1", "/").replace("~0", "~")
        for name in path_of(text if isinstance(text, str) else "")
    )
    if not path:
        sentence = "the path is empty"
        raise ValueError(sentence)
    if path[0] in _SYSTEM or any(path == key[: len(path)] for key in key_paths):
        sentence = f"'{text}' is a system property or part of the partition key: it cannot change"
        raise ValueError(sentence)
    return path


def _holder(item: dict[str, Json], path: JsonPath) -> _Holder:
    holder: Json = item
    for name in path[:-1]:
        if isinstance(holder, dict) and name in holder:
            holder = holder[name]
        elif isinstance(holder, list):
            holder = holder[_index(name, len(holder) - 1)]
        else:
            holder = None
    if isinstance(holder, dict | list):
        return holder
    sentence = f"no object or array to change beyond '/{'/'.join(path[:-1])}'"
    raise KeyError(sentence)


def _index(name: str, highest: int) -> int:
    if not name.isdecimal() or int(name) > highest:
        sentence = f"'{name}' is not an index of the array"
        raise IndexError(sentence)
    return int(name)


def _add(item: dict[str, Json], path: JsonPath, value: Json) -> None:
    holder, name = _holder(item, path), path[-1]
    if isinstance(holder, list):
        at = len(holder) if name == _END else _index(name, len(holder))
        holder.insert(at, value)
    else:
        holder[name] = value


def _set(item: dict[str, Json], path: JsonPath, value: Json) -> None:
    holder, name = _holder(item, path), path[-1]
    if isinstance(holder, dict):
        holder[name] = value
    elif name == _END or _index(name, len(holder)) == len(holder):
        holder.append(value)
    else:
        holder[int(name)] = value


def _replace(item: dict[str, Json], path: JsonPath, value: Json) -> None:
    _existing(item, path)
    _set(item, path, value)


def _existing(item: dict[str, Json], path: JsonPath) -> Json:
    holder, name = _holder(item, path), path[-1]
    if isinstance(holder, list):
        return holder[_index(name, len(holder) - 1)]
    if name not in holder:
        sentence = f"'/{'/'.join(path)}' does not exist"
        raise KeyError(sentence)
    return holder[name]


def _remove(item: dict[str, Json], path: JsonPath, _: Json) -> None:
    _existing(item, path)
    holder, name = _holder(item, path), path[-1]
    if isinstance(holder, list):
        del holder[int(name)]
    else:
        del holder[name]


def _increment(item: dict[str, Json], path: JsonPath, value: Json) -> None:
    holder, name = _holder(item, path), path[-1]
    absent = isinstance(holder, dict) and name not in holder
    before: Json = 0 if absent else _existing(item, path)
    _set(item, path, _number(before) + _number(value))


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        sentence = "an increment needs numbers"
        raise TypeError(sentence)
    return value


def _move(item: dict[str, Json], path: JsonPath, source: JsonPath) -> None:
    if path[: len(source)] == source and path != source:
        sentence = "a value cannot move into itself"
        raise ValueError(sentence)
    value = _existing(item, source)
    _remove(item, source, None)
    _add(item, path, value)


_ACTIONS: dict[str, Callable[[dict[str, Json], JsonPath, Json], None]] = {
    "add": _add,
    "set": _set,
    "replace": _replace,
    "remove": _remove,
    "incr": _increment,
    "increment": _increment,
}
