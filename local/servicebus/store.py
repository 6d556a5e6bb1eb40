"""Messages on disk: one SQLite file in write-ahead mode.

Writes are committed in groups: all that one turn of the event loop brought. A frame that must not
leave before its write is on disk (an accept, a settlement's echo, a delivery) is handed to
`after_commit`. A commit survives the death of the process, however sudden; it is not forced
through the disk's own cache, so the loss of power may undo the last commits.

Sequence numbers come from `AUTOINCREMENT`: SQLite keeps the highest one ever given in a table of
its own, within the same transaction as the message. A number is therefore never given twice, not
even after the message that had it was deleted and the process killed; and numbers rise in the
order in which messages were accepted, across all queues. Proof:
`test_numbers_are_never_used_again` in tests/contract.
"""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from local.servicebus.message import Content

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    sequence_number INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    dead INTEGER NOT NULL,
    state INTEGER NOT NULL,
    delivery_count INTEGER NOT NULL,
    enqueued_ms INTEGER NOT NULL,
    ttl_ms INTEGER,
    durable INTEGER NOT NULL,
    priority INTEGER,
    annotations BLOB NOT NULL,
    annotation_count INTEGER NOT NULL,
    bare BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS sent_ids (
    queue TEXT NOT NULL,
    message_id TEXT NOT NULL,
    sequence_number INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    PRIMARY KEY (queue, message_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sent_ids_by_age ON sent_ids (queue, seen_ms);
-- An earlier version could defer messages: 1 was their state.
UPDATE messages SET state = 0 WHERE state = 1;
"""

Soon = Callable[[Callable[[], None]], object]


class Row(NamedTuple):
    """A stored message without its content."""

    sequence_number: int
    dead: bool
    state: int
    delivery_count: int
    enqueued_ms: int
    ttl_ms: int | None


class Store:
    """The broker's only durable state.

    Args:
        path: The database file; made when missing.
        soon: Runs a function once the current turn of the event loop is over.

    """

    def __init__(self, path: Path, soon: Soon) -> None:
        self._db: Final = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        self._soon = soon
        self._open = False
        self._waiting: list[Callable[[], None]] = []

    def after_commit(self, act: Callable[[], None]) -> None:
        """Run *act* once everything written so far is on disk, in the order of the calls."""
        if not self._waiting:
            self._soon(self.flush)
        self._waiting.append(act)

    def flush(self) -> None:
        """Commit what is open, then run what waited for it.

        Raises:
            SystemExit: The disk refused. None of the waiting frames left, and a restart reads what
                is stored.

        """
        if self._open:
            try:
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                sentence = f"cannot store messages: {error}"
                raise SystemExit(sentence) from error
            self._open = False
        waiting, self._waiting = self._waiting, []
        for act in waiting:
            act()

    def close(self) -> None:
        self.flush()
        self._db.close()

    def rows(self, queue: str) -> Iterator[Row]:
        """Yield the messages of *queue* and its dead-letter queue, oldest first."""
        for row in self._db.execute(
            "SELECT sequence_number, dead, state, delivery_count, enqueued_ms, ttl_ms"
            " FROM messages WHERE queue = ? ORDER BY sequence_number",
            (queue,),
        ):
            yield Row(row[0], bool(row[1]), *row[2:])

    def content(self, sequence_number: int) -> Content:
        """Return the content of a stored message."""
        row = self._db.execute(
            "SELECT durable, priority, annotations, annotation_count, bare"
            " FROM messages WHERE sequence_number = ?",
            (sequence_number,),
        ).fetchone()
        return Content(bool(row[0]), *row[1:])

    def insert(
        self, queue: str, content: Content, *, state: int, enqueued_ms: int, ttl_ms: int | None
    ) -> int:
        """Store a new message; return its sequence number, which is never used again."""
        cursor = self._write(
            "INSERT INTO messages (queue, dead, state, delivery_count, enqueued_ms, ttl_ms,"
            " durable, priority, annotations, annotation_count, bare)"
            " VALUES (?, 0, ?, 0, ?, ?, ?, ?, ?, ?, ?)",
            (queue, state, enqueued_ms, ttl_ms, *content),
        )
        return cursor.lastrowid or 0

    def delete(self, sequence_number: int) -> None:
        self._write("DELETE FROM messages WHERE sequence_number = ?", (sequence_number,))

    def update(self, sequence_number: int, *, state: int, delivery_count: int) -> None:
        self._write(
            "UPDATE messages SET state = ?, delivery_count = ? WHERE sequence_number = ?",
            (state, delivery_count, sequence_number),
        )

    def dead_letter(self, sequence_number: int, bare: bytes, *, delivery_count: int) -> None:
        """Move a message to the dead-letter queue, with *bare* as its new content."""
        self._write(
            "UPDATE messages SET dead = 1, state = 0, bare = ?, delivery_count = ?"
            " WHERE sequence_number = ?",
            (bare, delivery_count, sequence_number),
        )

    def find_sent(self, queue: str, message_id: str, *, since_ms: int) -> int | None:
        """Return the sequence number a message with this id got since *since_ms*, if any did."""
        row = self._db.execute(
            "SELECT sequence_number FROM sent_ids"
            " WHERE queue = ? AND message_id = ? AND seen_ms > ?",
            (queue, message_id, since_ms),
        ).fetchone()
        return None if row is None else int(row[0])

    def remember_sent(
        self, queue: str, message_id: str, sequence_number: int, *, seen_ms: int
    ) -> None:
        self._write(
            "INSERT OR REPLACE INTO sent_ids VALUES (?, ?, ?, ?)",
            (queue, message_id, sequence_number, seen_ms),
        )

    def forget_sent(self, queue: str, *, before_ms: int) -> None:
        """Drop the ids of *queue* that were seen at or before *before_ms*."""
        self._write("DELETE FROM sent_ids WHERE queue = ? AND seen_ms <= ?", (queue, before_ms))

    def _write(self, statement: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        if not self._open:
            self._db.execute("BEGIN")
            self._open = True
            self.after_commit(_nothing)
        return self._db.execute(statement, values)


def _nothing() -> None:
    """Take the place of a frame, for a write that nobody waits for."""
