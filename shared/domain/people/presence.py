"""Presence: a user is online while at least one connection's lease lives."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.domain.ids import UserId

PresenceStatus = Literal["online", "offline"]

MAX_WATCHED = 50  # who is on screen
MAX_ASKED = 200


@dataclass(frozen=True, slots=True)
class Presence:
    """What others may know of a user's presence.

    Args:
        last_seen_at: The last sign of life; None when there was none, or it is not known.
    """

    user_id: UserId
    status: PresenceStatus
    last_seen_at: datetime | None


def unknown(user_id: UserId) -> Presence:
    """Return what is shown of a user whose presence is not known or is hidden: offline."""
    return Presence(user_id, "offline", None)
