"""The operations on one item: create, read, replace, patch, delete.

They run inside the store's shared transaction and answer before it is committed; whoever calls
them waits for `Store.settled` before telling a client.
"""

import sqlite3
import time
from dataclasses import dataclass, replace
from http import HTTPStatus

from local.cosmos import charge
from local.cosmos.catalog import Catalog
from local.cosmos.container import Container, Key, sorts_alike
from local.cosmos.json_values import Json, at_path, dump, equal, load
from local.cosmos.patch import apply_patch
from local.cosmos.protocol import KEY_MISMATCH, BadRequestError, NotFoundError, RefusalError
from local.cosmos.sql.query import matches
from local.cosmos.store import Row, Store, Written

MAX_ITEM_BYTES = 2 * 1024 * 1024
_MAX_ID_LENGTH = 1023
_FORBIDDEN_IN_IDS = frozenset("/\\?#")


@dataclass(frozen=True, slots=True)
class Conditions:
    """The etag conditions of a call; None where it has none."""

    if_match: str | None = None
    if_none_match: str | None = None


ALWAYS = Conditions()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation answers; *charge* is in request units."""

    status: int
    text: str
    etag: str | None
    charge: float


class Items:
    """Operations on the items of every container."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog

    def create(self, container: Container, key: Key, item: Json) -> Outcome:
        """Insert *item*. Raises RefusalError 400, 409 or 413."""
        checked = _checked(container, key, item)
        self._store.expire(container)
        return self._insert(container, key, checked)

    def upsert(
        self, container: Container, key: Key, item: Json, conditions: Conditions = ALWAYS
    ) -> Outcome:
        """Insert *item* or put it in the place of the one with its id."""
        checked = _checked(container, key, item)
        row = self._store.find(container, key.epk, str(checked["id"]))
        if row is None:
            return self._insert(container, key, checked)
        _check_etag(container, row, conditions)
        return self._put(container, row, checked)

    def read(
        self, container: Container, key: Key, item_id: str, conditions: Conditions = ALWAYS
    ) -> Outcome:
        """Return the item, or 304 when it still has the etag of `if_none_match`."""
        row = self._found(container, key, item_id)
        etag = container.etag(row.lsn)
        cost = charge.point_read(len(row.body))
        if conditions.if_none_match == etag:
            return Outcome(HTTPStatus.NOT_MODIFIED, "", etag, cost)
        return Outcome(HTTPStatus.OK, row.body, etag, cost)

    def replace(
        self,
        container: Container,
        key: Key,
        item_id: str,
        item: Json,
        conditions: Conditions = ALWAYS,
    ) -> Outcome:
        """Put *item* in the place of the one with its id. Raises as `create` does, and 404, 412."""
        checked = _checked(container, key, item)
        if checked["id"] != item_id:
            raise BadRequestError("The id in the body differs from the id of the replaced item.")
        row = self._found(container, key, item_id)
        _check_etag(container, row, conditions)
        return self._put(container, row, checked)

    def patch(
        self,
        container: Container,
        key: Key,
        item_id: str,
        body: Json,
        conditions: Conditions = ALWAYS,
    ) -> Outcome:
        """Apply `body.operations` if `body.condition` holds. Raises as `replace` does."""
        row = self._found(container, key, item_id)
        _check_etag(container, row, conditions)
        current = load(row.body)
        if not isinstance(body, dict) or not isinstance(current, dict):
            raise BadRequestError("A patch is an object with 'operations'.")
        condition = body.get("condition")
        if isinstance(condition, str) and condition and not matches(condition, current):
            raise _precondition_failed()
        changed = apply_patch(current, body.get("operations"), container.key_paths)
        return self._put(container, row, changed)

    def delete(
        self, container: Container, key: Key, item_id: str, conditions: Conditions = ALWAYS
    ) -> Outcome:
        row = self._found(container, key, item_id)
        _check_etag(container, row, conditions)
        self._store.delete(container, row.number, container.lsn + 1)
        cost = _insert_charge(container, load(row.body), len(row.body))
        return Outcome(HTTPStatus.NO_CONTENT, "", None, cost)

    def _found(self, container: Container, key: Key, item_id: str) -> Row:
        row = self._store.find(container, key.epk, item_id)
        if row is None:
            raise NotFoundError(
                "Entity with the specified id does not exist in the system.", charge=charge.REFUSED
            )
        return row

    def _insert(self, container: Container, key: Key, item: dict[str, Json]) -> Outcome:
        lsn = container.lsn + 1
        row = Row(lsn, lsn, key.epk, str(item["id"]), "")
        row, written = self._prepared(container, row, item)
        try:
            self._store.insert(container, row, written)
        except sqlite3.IntegrityError as error:
            raise _conflict(error, row.id) from error
        self._note_mixed(container, item)
        cost = _insert_charge(container, item, len(row.body))
        return Outcome(HTTPStatus.CREATED, row.body, container.etag(lsn), cost)

    def _put(self, container: Container, row: Row, item: dict[str, Json]) -> Outcome:
        lsn = container.lsn + 1
        row, written = self._prepared(container, replace(row, lsn=lsn), item)
        try:
            self._store.update(container, row, written)
        except sqlite3.IntegrityError as error:
            raise _conflict(error, row.id) from error
        self._note_mixed(container, item)
        cost = charge.put(len(row.body), *_indexed(container, item))
        return Outcome(HTTPStatus.OK, row.body, container.etag(lsn), cost)

    def _prepared(
        self, container: Container, row: Row, item: dict[str, Json]
    ) -> tuple[Row, Written]:
        ts = max(int(time.time()), container.last_ts)
        rid = container.item_rid(row.number)
        item["_rid"] = rid
        item["_self"] = f"{self._catalog.item_link(container)}{rid}/"
        item["_etag"] = container.etag(row.lsn)
        item["_attachments"] = "attachments/"
        item["_ts"] = ts
        body = dump(item)
        _check_size(body)
        written = Written(ts, container.expiry(item, ts), container.unique_texts(item))
        return replace(row, body=body), written

    def _note_mixed(self, container: Container, item: dict[str, Json]) -> None:
        for path in container.ordered_paths:
            if path not in container.mixed_paths and not sorts_alike(at_path(item, path)):
                self._catalog.note_mixed(container, path)


def _checked(container: Container, key: Key, item: Json) -> dict[str, Json]:
    if not isinstance(item, dict):
        raise BadRequestError("The input content is invalid: an item is a JSON object.")
    item_id = item.get("id")
    if not isinstance(item_id, str) or not 0 < len(item_id) <= _MAX_ID_LENGTH:
        raise BadRequestError(
            "The input content is invalid because the required properties - 'id; ' - are missing"
        )
    if not _FORBIDDEN_IN_IDS.isdisjoint(item_id):
        raise BadRequestError("The id holds one of / \\ ? #.")
    carried = container.key_of(item)
    if len(carried) != len(key.components) or not all(map(equal, carried, key.components)):
        raise BadRequestError(
            "PartitionKey extracted from document doesn't match the one specified in the header",
            substatus=KEY_MISMATCH,
        )
    ttl = item.get("ttl", -1)
    if isinstance(ttl, bool) or not isinstance(ttl, int) or (ttl < 1 and ttl != -1):
        raise BadRequestError("The input ttl is invalid: -1 or a positive integer.")
    return item


def _check_size(body: str) -> None:
    if len(body) * 4 > MAX_ITEM_BYTES and _size(body) > MAX_ITEM_BYTES:
        raise RefusalError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request size is too large: an item is up to 2 MB."
        )


def _size(body: str) -> int:
    try:
        return len(body.encode())
    except UnicodeEncodeError as error:
        raise BadRequestError("The input content is not valid Unicode.") from error


def _check_etag(container: Container, row: Row, conditions: Conditions) -> None:
    etag = container.etag(row.lsn)
    if conditions.if_match not in {None, "*", etag} or conditions.if_none_match in {"*", etag}:
        raise _precondition_failed()


def _precondition_failed() -> RefusalError:
    return RefusalError(
        HTTPStatus.PRECONDITION_FAILED,
        "One of the specified pre-condition is not met",
        charge=charge.REFUSED,
    )


def _conflict(error: sqlite3.IntegrityError, item_id: str) -> RefusalError:
    message = (
        "Unique index constraint violation."
        if "unique_" in str(error)
        else f"Entity with the specified id already exists in the system, id = {item_id}"
    )
    return RefusalError(HTTPStatus.CONFLICT, message, charge=charge.REFUSED)


def _indexed(container: Container, item: Json) -> tuple[int, int]:
    return container.policy.count(item), len(container.unique_keys)


def _insert_charge(container: Container, item: Json, size_bytes: int) -> float:
    return charge.insert(size_bytes, *_indexed(container, item))
