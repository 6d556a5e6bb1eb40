"""The tables and indexes of containers, and what SQLite is told about them.

`number` is an item's own for life, `lsn` the position of its newest change. The planner gets no
statistics of the real content: it is told once that partitions are large, so that a query is
planned the same way on the first day and with a million items.
"""

import sqlite3

from local.cosmos.container import Container
from local.cosmos.json_values import JsonPath

_ITEMS = 1_000_000
_PARTITION = 5_000


def create_table(db: sqlite3.Connection, container: Container) -> None:
    table = container.table
    unique = "".join(f", {unique_column(at)} TEXT NOT NULL" for at, _ in _unique(container))
    db.execute(
        f"CREATE TABLE {table} (number INTEGER PRIMARY KEY, lsn INTEGER NOT NULL, "
        f"epk TEXT NOT NULL, id TEXT NOT NULL, ts INTEGER NOT NULL, expires INTEGER{unique}, "
        f"body TEXT NOT NULL)"
    )
    db.execute(
        f"CREATE INDEX {table}_expires ON {table}(expires) WHERE expires IS NOT NULL",
    )


def create_indexes(db: sqlite3.Connection, container: Container) -> None:
    """Make every index of *container* exist; those of paths follow its indexing policy.

    A path has two: one for order and ranges inside a partition, one for equality under a key
    prefix.
    """
    _create_index(db, container, "lsn", "lsn", f"{_ITEMS} 1", unique=True)
    _create_index(db, container, "id", "epk, id", f"{_ITEMS} {_PARTITION} 1", unique=True)
    for at, _ in _unique(container):
        column = unique_column(at)
        _create_index(db, container, column, f"{column}, epk", f"{_ITEMS} 2 1", unique=True)
    for path in container.ordered_paths:
        expression = json_path(path)
        if expression:
            name = "_".join(path)
            _create_index(
                db, container, f"{name}_order", f"epk, {expression}", f"{_ITEMS} {_PARTITION} 2"
            )
            _create_index(db, container, f"{name}_equal", f"{expression}, epk", f"{_ITEMS} 200 2")
    db.execute("ANALYZE sqlite_schema")


def unique_column(at: int) -> str:
    return f"unique_{at}"


def json_path(path: JsonPath) -> str | None:
    """Return the SQL expression for *path*, or None when SQLite cannot spell it.

    The path is a literal: with a bound parameter SQLite does not use an expression index.
    """
    if path and all(name.isidentifier() and name.isascii() for name in path):
        return f"json_extract(body, '$.{'.'.join(path)}')"
    return None


def _unique(container: Container) -> enumerate[tuple[JsonPath, ...]]:
    return enumerate(container.unique_keys)


def _create_index(
    db: sqlite3.Connection,
    container: Container,
    name: str,
    columns: str,
    statistics: str,
    *,
    unique: bool = False,
) -> None:
    table, index = container.table, f"{container.table}_{name}"
    if db.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (index,)).fetchone():
        return
    kind = "UNIQUE INDEX" if unique else "INDEX"
    db.execute(f"CREATE {kind} {index} ON {table}({columns})")
    # ANALYZE makes the table of statistics exist and fills in the truth, which is replaced.
    db.execute(f"ANALYZE {index}")
    db.execute("DELETE FROM sqlite_stat1 WHERE idx = ?", (index,))
    db.execute("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", (table, index, statistics))
