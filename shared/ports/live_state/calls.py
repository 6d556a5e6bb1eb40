"""Calls and callers: the rate limiter, the presence lease, and which accounts are erased."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from shared.domain.events import Effect
from shared.domain.ids import ConnectionId, UserId
from shared.domain.limits import Limit

AccountState = Literal["open", "erasing", "erased", "unknown"]


@dataclass(slots=True, eq=False)
class Token:
    """Whether a call has been through the limiter, which it goes through once.

    Args:
        effects: What tells others of this call's user. Live state counts it as told, and no later
            call brings it again. So the edge sends it, even if the call is refused after it has
            passed the limiter.
    """

    is_taken: bool = False
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one user, for the limiter and the presence lease.

    Args:
        connection_id: The hub connection it came over; None for HTTP, which holds no lease.
        limit: The bucket it takes a token from; None when the call is not limited.
    """

    user_id: UserId
    connection_id: ConnectionId | None = None
    limit: tuple[str, Limit] | None = None
    token: Token = field(default_factory=Token, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CallState:
    """How live state took a call.

    Args:
        wait_ms: Milliseconds until the limiter would let the call through; 0 lets it.
        came_online: This call made the user online.
        has_other_connections: The user has live connections beside this call's own.
        account: What live state remembers of the caller's account; `unknown` when it has lost that,
            and then the store decides. Nothing is noted of an erased account.
    """

    wait_ms: int = 0
    came_online: bool = False
    has_other_connections: bool = True
    account: AccountState = "open"


class Callers(Protocol):
    """What live state keeps of one user's calls. Each method is one round trip."""

    async def enter(self, call: Call) -> CallState:
        """Renew the caller's lease and take a token."""
        ...

    async def take_quota(self, user_id: UserId, amount: int, *, most: int) -> int:
        """Add *amount* to what the user used today, up to *most*; return ms to wait, or 0."""
        ...

    async def forget(self, user_id: UserId) -> int:
        """Delete all that is kept of one user alone; return how many entries that were."""
        ...


class AccountStates(Protocol):
    """Which accounts are erased, as live state remembers it: a cache of the users' store.

    What is forgotten is `unknown`, never `open`: so losing it costs a look into the store, and
    brings nobody back. Each method is one round trip, and none for nobody.
    """

    async def list_states(self, user_ids: Sequence[UserId]) -> list[AccountState]: ...

    async def note_open(self, user_ids: Sequence[UserId]) -> None:
        """Note accounts that the store has just shown, for a day; one noted erased stays so."""
        ...

    async def note_erased(self, user_ids: Sequence[UserId]) -> None:
        """Note that these accounts are erased, whatever was noted before."""
        ...

    async def note_erasing(self, user_id: UserId) -> None:
        """Note for an hour that this account is being erased; one noted erased stays so."""
        ...
