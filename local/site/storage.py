"""The site's own database: its users, their push subscriptions, the notifications they got."""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from local.site.demo import DemoUser

_KEPT_NOTIFICATIONS = 1000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    user_id TEXT PRIMARY KEY, display_name TEXT NOT NULL, contacts TEXT NOT NULL,
    demo INTEGER NOT NULL, position INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS subscriptions (
    id TEXT PRIMARY KEY, user_id TEXT NOT NULL, private_key BLOB NOT NULL, auth BLOB NOT NULL,
    server_key TEXT NOT NULL, expired INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS notifications (
    number INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, document TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS notifications_of_user ON notifications (user_id, number);
"""


@dataclass(frozen=True, slots=True)
class User:
    user_id: str
    display_name: str
    contacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subscription:
    """One browser's push subscription, with the secrets the browser would keep.

    Args:
        private_key: The P-256 key's number, 32 bytes.
        auth: The authentication secret, 16 bytes. Source: RFC 8291 §3.2.
        server_key: The application server key it was made for, base64url. Source: RFC 8292 §4.

    """

    id: str
    user_id: str
    private_key: bytes
    auth: bytes
    server_key: str
    expired: int = 0


class Storage:
    """One SQLite file; every call is a short transaction."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)  # it holds the browsers' keys; SQLite's other files take its mode
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        # SQLite's own LIKE and lower() know the case of ASCII letters alone.
        self._db.create_function("fold", 1, str.casefold, deterministic=True)

    def close(self) -> None:
        self._db.close()

    def put_demo_users(self, users: list[DemoUser]) -> None:
        """Store the demo people as they are now, in their order."""
        rows = [
            (user.user_id, user.display_name, json.dumps(user.contacts), 1, position)
            for position, user in enumerate(users)
        ]
        self._db.executemany("INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?, ?)", rows)

    def put_guest(self, user_id: str, display_name: str) -> None:
        """Store a user who is not one of the demo people."""
        row = (user_id, display_name, "[]")
        self._db.execute("INSERT OR REPLACE INTO users VALUES (?, ?, ?, 0, 0)", row)

    def find_user(self, user_id: str) -> User | None:
        row = self._db.execute(f"{_SELECT_USER} WHERE user_id = ?", (user_id,)).fetchone()
        return _user(row) if row else None

    def list_users(self, *, demo_only: bool) -> list[User]:
        where = "WHERE demo = 1" if demo_only else ""
        rows = self._db.execute(f"{_SELECT_USER} {where} ORDER BY demo DESC, position, user_id")
        return [_user(row) for row in rows]

    def search_users(self, words: str, *, limit: int) -> list[User]:
        """Return users whose id or name holds *words*, whatever their case, demo people first."""
        rows = self._db.execute(
            f"{_SELECT_USER} WHERE instr(fold(user_id), ?1) OR instr(fold(display_name), ?1)"
            " ORDER BY demo DESC, position, user_id LIMIT ?2",
            (words.casefold(), limit),
        )
        return [_user(row) for row in rows]

    def put_subscription(self, made: Subscription) -> None:
        row = (made.id, made.user_id, made.private_key, made.auth, made.server_key)
        self._db.execute("INSERT INTO subscriptions VALUES (?, ?, ?, ?, ?, 0)", row)

    def find_subscription(self, subscription_id: str) -> Subscription | None:
        row = self._db.execute(
            "SELECT id, user_id, private_key, auth, server_key, expired"
            " FROM subscriptions WHERE id = ?",
            (subscription_id,),
        ).fetchone()
        return Subscription(*row) if row else None

    def expire_subscription(self, subscription_id: str) -> bool:
        """Expire the subscription; return whether there is one of that id."""
        changed = self._db.execute(
            "UPDATE subscriptions SET expired = 1 WHERE id = ?", (subscription_id,)
        )
        return changed.rowcount > 0

    def add_notification(self, user_id: str, document: dict[str, object]) -> None:
        """Keep *document* as the user's newest notification, and the latest thousand in all."""
        self._db.execute(
            "INSERT INTO notifications (user_id, document) VALUES (?, ?)",
            (user_id, json.dumps(document)),
        )
        self._db.execute(
            "DELETE FROM notifications WHERE user_id = ? AND number <= ("
            " SELECT number FROM notifications WHERE user_id = ?"
            " ORDER BY number DESC LIMIT 1 OFFSET ?)",
            (user_id, user_id, _KEPT_NOTIFICATIONS),
        )

    def list_notifications(self, user_id: str) -> list[dict[str, object]]:
        """Return what the user got, oldest first."""
        rows = self._db.execute(
            "SELECT document FROM notifications WHERE user_id = ? ORDER BY number", (user_id,)
        )
        return [json.loads(document) for (document,) in rows]


_SELECT_USER = "SELECT user_id, display_name, contacts FROM users"


def _user(row: tuple[str, str, str]) -> User:
    return User(row[0], row[1], tuple(json.loads(row[2])))
