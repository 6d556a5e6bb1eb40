"""The names of Redis keys: one hash tag each, so that related keys share a cluster slot."""

import zlib

SHARDS = 16  # of what would otherwise be one key for all users or conversations


def epoch() -> str:
    """Hash: `id`, the epoch's name, and `run`, the server process that it was given in.

    Whoever finds it missing, or of another process, begins a new epoch: see `epoch.py`.
    """
    return "epoch"


def conversation(conversation_id: str) -> str:
    """Hash: ready, version, head, at, last; per member d: (delivered), r: (read), t: (moved at)."""
    return f"conversation:{{{conversation_id}}}"


def changed(conversation_id: str) -> str:
    """Set: members whose receipts moved since the last flush."""
    return f"changed:{{{conversation_id}}}"


def reconciled(conversation_id: str) -> str:
    """Name the newest version whose derived state was completed: a number."""
    return f"reconciled:{{{conversation_id}}}"


def account(user_id: str) -> str:
    """Name what the users' store says of an account: `open`, `erasing` or `erased`."""
    return f"account:{{{user_id}}}"


def inbox(user_id: str) -> str:
    """Sorted set: conversations by last activity, and more: see `users/inbox_scripts.py`."""
    return f"inbox:{{{user_id}}}"


def mutes(user_id: str) -> str:
    """Hash: conversation by what the user's membership says of notifications, with its epoch."""
    return f"mutes:{{{user_id}}}"


def group_memberships(user_id: str) -> str:
    """Sorted set: group conversation by the moment the user was put into its SignalR group."""
    return f"group_memberships:{{{user_id}}}"


def unconfirmed(user_id: str) -> str:
    """Set: group memberships that are noted but may not have been taken."""
    return f"unconfirmed:{{{user_id}}}"


def presence(user_id: str) -> str:
    """Sorted set: connection by the moment its lease lapses."""
    return f"presence:{{{user_id}}}"


def opened(user_id: str) -> str:
    """Sorted set: live connection by the moment it was made, in microseconds; 0 if unknown."""
    return f"presence:{{{user_id}}}:opened"


def seen(user_id: str) -> str:
    """Hash: the status last announced, and the last sign of life."""
    return f"seen:{{{user_id}}}"


def closed(user_id: str) -> str:
    """Sorted set: connections that have ended, kept for a lease."""
    return f"closed:{{{user_id}}}"


def bucket(user_id: str, what: str) -> str:
    """Hash: the token bucket of one user and one kind of call."""
    return f"bucket:{{{user_id}}}:{what}"


def quota(user_id: str) -> str:
    """Counter: bytes of uploads granted to the user within a day of the first of them."""
    return f"quota:{{{user_id}}}"


def uploads(user_id: str) -> str:
    """Sorted set: uploads neither sent nor swept yet, by the moment they were granted."""
    return f"uploads:{{{user_id}}}"


def typing(user_id: str, conversation_id: str) -> str:
    """Hash: the value last passed on (`said`), and the moments of the values `1` and `0`."""
    return f"typing:{{{user_id}}}:{conversation_id}"


def marks(user_id: str) -> str:
    """Hash: conversation by the newest sequence the user was notified of."""
    return f"notified:{{{user_id}}}"


def watched(connection_id: str) -> str:
    return f"watched:{{{connection_id}}}"


def leases(shard: int) -> str:
    """Sorted set: users by the moment their newest lease lapses."""
    return f"leases:{{{shard}}}"


def dirty(shard: int) -> str:
    """Sorted set: conversations to flush, by the moment they last changed."""
    return f"dirty:{{{shard}}}"


def shard_of(name: str) -> int:
    return zlib.crc32(name.encode()) % SHARDS
