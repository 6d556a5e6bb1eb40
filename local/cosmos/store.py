"""Items and containers in one SQLite file.

Rules of this file:
- Every write joins the open transaction, or opens one that is committed at the event loop's next
  turn; so writes that arrive together share a commit. `settled` returns once what the caller
  wrote *or read* is committed, and no reply leaves before.
- WAL with synchronous=NORMAL: a process killed at any point loses nothing that was acknowledged
  (a machine that loses power may lose the last moments).
- All reads go through `Store`, with the container: a reader that lags behind the newest position
  can be added here without touching a caller.
"""

# ruff: noqa: S608 - table names are made of our own numbers

import asyncio
import contextlib
import math
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.cosmos.container import Container
from local.cosmos.schema import unique_column

type SqlValue = str | float | None

_COLUMNS = "number, lsn, epk, id, body"


@dataclass(frozen=True, slots=True)
class Row:
    """One stored item: *number* never changes, *lsn* is the position of its newest change."""

    number: int
    lsn: int
    epk: str
    id: str
    body: str


class Store:
    """The file. One instance, used from one event loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=NORMAL")
        self.db.execute("PRAGMA cache_size=-4096")
        self._open = self._log_is_long = False
        self.log_grew = True
        self._waiting: list[asyncio.Future[None]] = []

    def close(self) -> None:
        if self._open:
            self._commit()
        self.db.close()

    def begin(self) -> None:
        """Open the shared transaction unless it is open."""
        if not self._open:
            self.db.execute("BEGIN IMMEDIATE")
            self._open = self.log_grew = True
            asyncio.get_running_loop().call_soon(self._commit)

    async def settled(self) -> None:
        """Return once everything written so far is committed.

        Raises:
            sqlite3.Error: The commit failed; nothing of the shared transaction was stored.

        """
        if self._open:
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter

    def restart_log(self) -> None:
        """Copy the rest of the write-ahead log and start it anew, after the open transaction."""
        if self._open:
            self._log_is_long = True
        else:
            self._log_is_long = False
            with contextlib.suppress(sqlite3.OperationalError):  # busy: the next round asks again
                self.db.execute("PRAGMA wal_checkpoint(RESTART)")

    def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._open = False
        failure: sqlite3.Error | None = None
        try:
            self.db.execute("COMMIT")
        except sqlite3.Error as error:
            failure = error
            with contextlib.suppress(sqlite3.Error):
                self.db.execute("ROLLBACK")
        for waiter in waiting:
            if waiter.done():
                continue
            if failure is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(failure)
        if self._log_is_long:
            self.restart_log()

    @contextlib.contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Undo every write made inside the block when it raises."""
        self.begin()
        self.db.execute("SAVEPOINT batch")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK TO batch")
            raise
        finally:
            self.db.execute("RELEASE batch")

    def load_counters(self, container: Container, floor: int) -> None:
        """Set the counters of *container*; *floor* is the position of its last deletion."""
        lsn, ts, expires = self.db.execute(
            f"SELECT max(lsn), max(ts), min(expires) FROM {container.table}"
        ).fetchone()
        container.lsn = max(lsn or 0, floor)
        container.last_ts = ts or 0
        container.next_expiry = math.inf if expires is None else expires

    def find(self, container: Container, epk: str, item_id: str) -> Row | None:
        self.expire(container)
        row = self.db.execute(
            f"SELECT {_COLUMNS} FROM {container.table} WHERE epk = ? AND id = ?",
            (epk, item_id),
        ).fetchone()
        return Row(*row) if row else None

    def insert(self, container: Container, row: Row, written: "Written") -> None:
        """Insert *row*.

        Raises:
            sqlite3.IntegrityError: Its id or one of its unique keys is taken in its partition.

        """
        self.begin()
        marks = ",?" * len(written.unique)
        self.db.execute(
            f"INSERT INTO {container.table} VALUES (?,?,?,?,?,?{marks},?)",
            (row.number, row.lsn, row.epk, row.id, written.ts, written.expires, *written.unique,
             row.body),
        )  # fmt: skip
        self._note(container, row.lsn, written)

    def update(self, container: Container, row: Row, written: "Written") -> None:
        """Put *row* in the place of the item with its number. Raises as `insert` does."""
        self.begin()
        unique = "".join(f", {unique_column(at)} = ?" for at in range(len(written.unique)))
        self.db.execute(
            f"UPDATE {container.table} SET lsn = ?, ts = ?, expires = ?{unique}, body = ? "
            f"WHERE number = ?",
            (row.lsn, written.ts, written.expires, *written.unique, row.body, row.number),
        )
        self._note(container, row.lsn, written)

    def delete(self, container: Container, number: int, lsn: int) -> None:
        """Delete an item. Positions must not be given out again, so this one is kept."""
        self.begin()
        self.db.execute(f"DELETE FROM {container.table} WHERE number = ?", (number,))
        self._keep_floor(container, lsn)

    def expire(self, container: Container) -> None:
        """Delete what has lived its time; cheap when nothing has."""
        now = time.time()
        if now < container.next_expiry:
            return
        self.begin()
        self.db.execute(f"DELETE FROM {container.table} WHERE expires <= ?", (now,))
        expires = self.db.execute(
            f"SELECT min(expires) FROM {container.table} WHERE expires IS NOT NULL"
        ).fetchone()[0]
        container.next_expiry = math.inf if expires is None else expires
        self._keep_floor(container, container.lsn)

    def select(self, sql: str, parameters: Sequence[SqlValue]) -> sqlite3.Cursor:
        return self.db.execute(sql, parameters)

    def position_at(self, container: Container, ts: int) -> int:
        """Return the largest position all of whose changes are older than *ts*, by bisection."""
        low, high = 0, container.lsn
        while low < high:
            middle = (low + high) // 2
            row = self.db.execute(
                f"SELECT lsn, ts FROM {container.table} WHERE lsn > ? ORDER BY lsn LIMIT 1",
                (middle,),
            ).fetchone()
            if row is None or row[1] >= ts:
                high = middle
            else:
                low = row[0]
        return low

    def _note(self, container: Container, lsn: int, written: "Written") -> None:
        container.lsn = lsn
        container.last_ts = written.ts
        if written.expires is not None and written.expires < container.next_expiry:
            container.next_expiry = written.expires

    def _keep_floor(self, container: Container, lsn: int) -> None:
        container.lsn = lsn
        self.db.execute("UPDATE containers SET floor = ? WHERE number = ?", (lsn, container.number))


@dataclass(frozen=True, slots=True)
class Written:
    """What is stored beside an item's body; *ts* and *expires* are epoch seconds."""

    ts: int
    expires: int | None
    unique: Sequence[str]
