"""A transactional batch: all operations in one logical partition, or none.

Source: learn.microsoft.com/azure/cosmos-db/transactional-batch (100 operations, 2 MB).
"""

from collections.abc import Callable
from http import HTTPStatus

from local.cosmos.container import Container, Key
from local.cosmos.items import MAX_ITEM_BYTES, Conditions, Items, Outcome
from local.cosmos.json_values import Json, dump
from local.cosmos.protocol import BadRequestError, RefusalError, Reply
from local.cosmos.store import Store

KINDS = frozenset({"Create", "Upsert", "Read", "Replace", "Patch", "Delete"})
_MAX_OPERATIONS = 100

type _Operation = dict[str, Json]
type _Act = Callable[[Container, Key, _Operation, Conditions], Outcome]


class Batches:
    """Runs batches on *items*."""

    def __init__(self, store: Store, items: Items) -> None:
        self._store = store
        self._acts: dict[str, _Act] = {
            "Create": lambda at, key, op, _: items.create(at, key, op.get("resourceBody")),
            "Upsert": lambda at, key, op, when: items.upsert(at, key, op.get("resourceBody"), when),
            "Read": lambda at, key, op, when: items.read(at, key, _id(op), when),
            "Replace": lambda at, key, op, when: items.replace(
                at, key, _id(op), op.get("resourceBody"), when
            ),
            "Patch": lambda at, key, op, when: items.patch(
                at, key, _id(op), op.get("resourceBody"), when
            ),
            "Delete": lambda at, key, op, when: items.delete(at, key, _id(op), when),
        }

    def run(self, container: Container, key: Key, operations: Json, size_bytes: int) -> Reply:
        """Answer 200 with every result, or 207 where one failed and nothing was stored.

        Raises:
            RefusalError: 400 for a malformed batch, 413 above 2 MB.

        """
        checked = _checked(operations, size_bytes)
        self._store.expire(container)
        lsn = container.lsn
        results: list[str] = []
        spent = 0.0
        try:
            with self._store.all_or_nothing():
                for operation in checked:
                    outcome = self._acts[str(operation["operationType"])](
                        container, key, operation, _conditions(operation)
                    )
                    results.append(_text(outcome.status, outcome.charge, outcome))
                    spent += outcome.charge
        except RefusalError as refusal:
            # What was rolled back must not be seen in a session token, nor in what expired.
            container.lsn, container.next_expiry = lsn, 0.0
            return _failed(len(checked), len(results), spent, refusal)
        return Reply(HTTPStatus.OK, f"[{','.join(results)}]", charge=round(spent, 2))


def _failed(total: int, done: int, spent: float, refusal: RefusalError) -> Reply:
    results = [_text(HTTPStatus.FAILED_DEPENDENCY, 0.0)] * total
    results[done] = _text(refusal.status, refusal.charge, substatus=refusal.substatus)
    text = f"[{','.join(results)}]"
    return Reply(HTTPStatus.MULTI_STATUS, text, charge=round(spent + refusal.charge, 2))


def _text(
    status: int, cost: float, outcome: Outcome | None = None, substatus: int | None = None
) -> str:
    text = f'{{"statusCode":{int(status)},"requestCharge":{cost}'
    if substatus is not None:
        text += f',"subStatusCode":{substatus}'
    if outcome is not None and outcome.etag is not None:
        text += f',"eTag":{dump(outcome.etag)}'
    if outcome is not None and outcome.text:
        text += f',"resourceBody":{outcome.text}'
    return text + "}"


def _checked(operations: Json, size_bytes: int) -> list[_Operation]:
    if not isinstance(operations, list) or not 1 <= len(operations) <= _MAX_OPERATIONS:
        raise BadRequestError(f"A batch takes 1 to {_MAX_OPERATIONS} operations.")
    if size_bytes > MAX_ITEM_BYTES:
        raise RefusalError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request size is too large: a batch is up to 2 MB."
        )
    checked = [operation for operation in operations if isinstance(operation, dict)]
    for operation in checked:
        if operation.get("operationType") not in KINDS:
            raise BadRequestError(
                f"Operation type '{operation.get('operationType')}' is not supported in a batch."
            )
    if len(checked) != len(operations):
        raise BadRequestError("An operation of a batch is an object.")
    return checked


def _id(operation: _Operation) -> str:
    item_id = operation.get("id")
    if not isinstance(item_id, str):
        raise BadRequestError("The operation needs an id.")
    return item_id


def _conditions(operation: _Operation) -> Conditions:
    match, none_match = operation.get("ifMatch"), operation.get("ifNoneMatch")
    return Conditions(
        match if isinstance(match, str) else None,
        none_match if isinstance(none_match, str) else None,
    )
