"""A member's own mute: until when they want no notifications of a conversation."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.conversations.conversation import Member


@dataclass(frozen=True, slots=True)
class Mute:
    """A member's mute, as their membership has it.

    Args:
        until: The member gets no notifications before this time; None means not muted.
        order: Rises with each change in the store, so the mute with the greater order is newer. 0
            when the membership never had a mute.
    """

    until: datetime | None
    order: int = 0


UNSAID = Mute(None)


def muted_until(member: Member, mute: Mute, *, now: datetime) -> datetime | None:
    """Return until when *member* is muted; None when they are not, or not any more.

    Mutes were stored in the conversation once. Such a mute counts until the membership has its own.
    """
    until = mute.until if mute.order else member.muted_until
    return until if until is not None and now < until else None
