"""The account's databases and containers, and their place in the file."""

# ruff: noqa: S608 - table names are made of our own numbers

import secrets
import time
from dataclasses import dataclass
from http import HTTPStatus

from local.cosmos.container import (
    Container,
    new_container_rid,
    new_database_rid,
    normalised,
    sorts_alike,
)
from local.cosmos.json_values import Json, JsonPath, at_path, dump, load
from local.cosmos.protocol import OWNER_NOT_FOUND, BadRequestError, NotFoundError, RefusalError
from local.cosmos.schema import create_indexes, create_table
from local.cosmos.store import Store

_SCHEMA = """
CREATE TABLE IF NOT EXISTS databases (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, ts INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS containers (
    number INTEGER PRIMARY KEY AUTOINCREMENT, database TEXT NOT NULL, id TEXT NOT NULL,
    rid TEXT NOT NULL, definition TEXT NOT NULL, floor INTEGER NOT NULL DEFAULT 0,
    mixed TEXT NOT NULL DEFAULT '[]', ts INTEGER NOT NULL, UNIQUE (database, id));
"""
_FORBIDDEN_IN_IDS = frozenset("/\\?#")


@dataclass(frozen=True, slots=True)
class Database:
    id: str
    rid: str
    ts: int


class Catalog:
    """What exists. Every change here is committed with the store's shared transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.db.executescript(_SCHEMA)
        self.databases: dict[str, Database] = {}
        self._containers: dict[tuple[str, str], Container] = {}
        self._stamps: dict[int, int] = {}
        for number, name, ts in store.db.execute("SELECT number, id, ts FROM databases"):
            self.databases[name] = Database(name, new_database_rid(number), ts)
        for row in store.db.execute(
            "SELECT number, database, rid, definition, floor, mixed, ts FROM containers"
        ).fetchall():
            self._load(row)

    def container(self, database: str, name: str) -> Container:
        """Return the container.

        Raises:
            NotFoundError: Substatus 1003 as the service gives it when an item's owner is missing.

        """
        try:
            return self._containers[database, name]
        except KeyError:
            raise NotFoundError(
                "Resource Not Found. Owner resource does not exist", substatus=OWNER_NOT_FOUND
            ) from None

    def containers(self, database: str) -> list[Container]:
        return [
            container for (owner, _), container in self._containers.items() if owner == database
        ]

    def database(self, name: str) -> Database:
        try:
            return self.databases[name]
        except KeyError:
            raise NotFoundError(f"Resource Not Found: database '{name}'.") from None

    def create_database(self, definition: Json) -> Database:
        name = _checked_id(definition)
        if name in self.databases:
            raise _taken(name)
        self._store.begin()
        ts = int(time.time())
        cursor = self._store.db.execute("INSERT INTO databases(id, ts) VALUES (?, ?)", (name, ts))
        database = Database(name, new_database_rid(cursor.lastrowid or 0), ts)
        self.databases[name] = database
        return database

    def delete_database(self, name: str) -> None:
        self.database(name)
        for container in self.containers(name):
            self.delete_container(container)
        self._store.begin()
        self._store.db.execute("DELETE FROM databases WHERE id = ?", (name,))
        del self.databases[name]

    def create_container(self, database: str, requested: Json) -> Container:
        """Create a container as *requested*. Raises RefusalError 400, 404 or 409."""
        owner = self.database(database)
        definition = normalised(requested)
        name = _checked_id(definition)
        if (database, name) in self._containers:
            raise _taken(name)
        self._store.begin()
        ts = int(time.time())
        rid = new_container_rid(owner.rid, secrets.token_bytes(4))
        cursor = self._store.db.execute(
            "INSERT INTO containers(database, id, rid, definition, ts) VALUES (?, ?, ?, ?, ?)",
            (database, name, rid, dump(definition), ts),
        )
        container = Container(database, cursor.lastrowid or 0, rid, definition)
        create_table(self._store.db, container)
        create_indexes(self._store.db, container)
        self._containers[database, name] = container
        self._stamps[container.number] = ts
        return container

    def replace_container(self, container: Container, requested: Json) -> Container:
        """Change what may change: the indexing policy and the time to live.

        Raises:
            BadRequestError: The id, the partition key or the unique keys would change.

        """
        definition = normalised(requested)
        for fixed in ("id", "partitionKey", "uniqueKeyPolicy"):
            if definition.get(fixed) != container.definition.get(fixed):
                raise BadRequestError(f"The property '{fixed}' of a container cannot be changed.")
        self._store.begin()
        changed = Container(container.database, container.number, container.rid, definition)
        self._store.db.execute(
            "UPDATE containers SET definition = ? WHERE number = ?",
            (dump(definition), container.number),
        )
        create_indexes(self._store.db, changed)
        changed.mixed_paths = set(container.mixed_paths)
        self._review_items(changed)
        self._store.load_counters(changed, container.lsn)
        self._keep_mixed(changed)
        self._containers[changed.database, changed.id] = changed
        return changed

    def delete_container(self, container: Container) -> None:
        self._store.begin()
        self._store.db.execute(f"DROP TABLE {container.table}")
        self._store.db.execute("DELETE FROM containers WHERE number = ?", (container.number,))
        del self._containers[container.database, container.id]

    def note_mixed(self, container: Container, path: JsonPath) -> None:
        """Remember that SQLite's order of *path* is no longer Cosmos' order."""
        container.mixed_paths.add(path)
        self._store.begin()
        self._keep_mixed(container)

    def resource(self, container: Container) -> dict[str, Json]:
        """Return the container as the service shows it."""
        owner = self.databases[container.database].rid
        return {
            **container.definition,
            "_rid": container.rid,
            "_ts": self._stamps.get(container.number, 0),
            "_self": f"dbs/{owner}/colls/{container.rid}/",
            "_etag": container.etag(0),
            "_docs": "docs/",
        }

    def item_link(self, container: Container) -> str:
        """Return what every item's `_self` starts with."""
        return f"dbs/{self.databases[container.database].rid}/colls/{container.rid}/docs/"

    def _load(self, row: tuple[int, str, str, str, int, str, int]) -> None:
        number, database, rid, definition, floor, mixed, ts = row
        parsed, paths = load(definition), load(mixed)
        if not isinstance(parsed, dict) or not isinstance(paths, list):
            sentence = f"container {number} is damaged in the database file"
            raise TypeError(sentence)
        container = Container(database, number, rid, parsed)
        container.mixed_paths = {tuple(map(str, path)) for path in paths if isinstance(path, list)}
        self._store.load_counters(container, floor)
        self._containers[database, container.id] = container
        self._stamps[number] = ts

    def _keep_mixed(self, container: Container) -> None:
        paths: list[Json] = [list(path) for path in sorted(container.mixed_paths)]
        self._store.db.execute(
            "UPDATE containers SET mixed = ? WHERE number = ?", (dump(paths), container.number)
        )

    def _review_items(self, container: Container) -> None:
        rows = self._store.db.execute(f"SELECT number, ts, body FROM {container.table}").fetchall()
        for number, ts, body in rows:
            loaded = load(body)
            item = loaded if isinstance(loaded, dict) else {}
            self._store.db.execute(
                f"UPDATE {container.table} SET expires = ? WHERE number = ?",
                (container.expiry(item, ts), number),
            )
            container.mixed_paths.update(
                path for path in container.ordered_paths if not sorts_alike(at_path(item, path))
            )


def _checked_id(definition: Json) -> str:
    name = definition.get("id") if isinstance(definition, dict) else None
    if not isinstance(name, str) or not name or len(name) > 255 or _FORBIDDEN_IN_IDS & set(name):
        raise BadRequestError("The id is missing, too long, or holds one of / \\ ? #.")
    return name


def _taken(name: str) -> RefusalError:
    return RefusalError(HTTPStatus.CONFLICT, f"Resource with specified id '{name}' already exists.")
