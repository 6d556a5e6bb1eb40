"""A member's own mute: until when they want no notifications of a conversation."""

from dataclasses import dataclass
from datetime import datetime

from shared.domain.conversation import Member


@dataclass(frozen=True, slots=True)
class Mute:
    """What a membership says of notifications.

    Args:
        until: There are none before this time; None means not muted.
        order: Rises with each change that the store took: of two, the one with more is newer. 0
            when the membership never said anything.
    """

    until: datetime | None
    order: int = 0


UNSAID = Mute(None)


def muted_until(member: Member, mute: Mute, *, now: datetime) -> datetime | None:
    """Return until when *member* is muted; None when they are not, or not any more.

    Mutes once stood in the conversation. Such a one counts until the membership says something.
    """
    until = mute.until if mute.order else member.muted_until
    return until if until is not None and now < until else None
