"""Group memberships of users: they outlive connections and restarts of the service.

Rules: a membership without a time to live lasts at most one year, and of those only the latest
100 of a user are kept; one with a time to live lasts that long and does not count among them.
Whoever is connected when a membership is forgotten stays in the group until disconnecting.

Source: the service's REST description, version 2022-06-01, `ttl` of "Add a user to the target
group".
"""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

_YEAR_S = 365 * 24 * 3600
_KEPT = 100
_SCHEMA = """
CREATE TABLE IF NOT EXISTS memberships (
    hub TEXT NOT NULL, user_id TEXT NOT NULL, name TEXT NOT NULL,
    added INTEGER NOT NULL, limited INTEGER NOT NULL, expires_at REAL NOT NULL,
    PRIMARY KEY (hub, user_id, name)
) WITHOUT ROWID
"""
_PUT = """
INSERT INTO memberships VALUES (
    :hub, :user_id, :name,
    (SELECT coalesce(max(added), 0) + 1 FROM memberships WHERE hub = :hub AND user_id = :user_id),
    :limited, :expires_at
) ON CONFLICT DO UPDATE SET
    added = excluded.added, limited = excluded.limited, expires_at = excluded.expires_at
"""
_FORGET_OLDEST = """
DELETE FROM memberships WHERE hub = :hub AND user_id = :user_id AND NOT limited AND added <= (
    SELECT added FROM memberships WHERE hub = :hub AND user_id = :user_id AND NOT limited
    ORDER BY added DESC LIMIT 1 OFFSET :kept
)
"""


class UserGroups:
    """The stored memberships. A call returns once its change would survive a killed process."""

    def __init__(self, directory: Path, clock: Callable[[], float] = time.time) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        # A write-ahead log that is not synced survives the process, though not the machine.
        self._base = sqlite3.connect(directory / "groups.sqlite3", autocommit=True)
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("PRAGMA synchronous = NORMAL")
        self._base.execute("PRAGMA cache_size = -512")
        self._base.execute(_SCHEMA)

    def add(self, hub: str, user_id: str, group: str, ttl_s: int | None) -> None:
        """Keep *user_id* in *group* for *ttl_s* seconds; None is the rule for no limit."""
        life_s = _YEAR_S if ttl_s is None else ttl_s
        row = {
            "hub": hub,
            "user_id": user_id,
            "name": group,
            "limited": ttl_s is not None,
            "expires_at": self._clock() + life_s,
            "kept": _KEPT,
        }
        self._base.execute("BEGIN IMMEDIATE")
        self._base.execute(_PUT, row)
        if ttl_s is None:
            self._base.execute(_FORGET_OLDEST, row)
        self._base.execute("COMMIT")

    def remove(self, hub: str, user_id: str, group: str) -> None:
        self._base.execute(
            "DELETE FROM memberships WHERE hub = ? AND user_id = ? AND name = ?",
            (hub, user_id, group),
        )

    def remove_all(self, hub: str, user_id: str) -> None:
        self._base.execute("DELETE FROM memberships WHERE hub = ? AND user_id = ?", (hub, user_id))

    def contains(self, hub: str, user_id: str, group: str) -> bool:
        row = self._base.execute(
            "SELECT 1 FROM memberships"
            " WHERE hub = ? AND user_id = ? AND name = ? AND expires_at > ?",
            (hub, user_id, group, self._clock()),
        )
        return row.fetchone() is not None

    def list_of(self, hub: str, user_id: str) -> list[str]:
        """Return the groups a new connection of *user_id* joins."""
        rows = self._base.execute(
            "SELECT name FROM memberships WHERE hub = ? AND user_id = ? AND expires_at > ?",
            (hub, user_id, self._clock()),
        )
        return [name for (name,) in rows]

    def forget_expired(self) -> None:
        self._base.execute("DELETE FROM memberships WHERE expires_at <= ?", (self._clock(),))

    def close(self) -> None:
        self._base.close()
