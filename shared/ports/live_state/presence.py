"""Who is online: leases, last signs of life, and who watches whom."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from shared.domain.ids import ConnectionId, ConversationId, UserId
from shared.domain.people.presence import Presence


class PresenceStore(Protocol):
    """Leases and last signs of life. Each method is one round trip."""

    async def open(
        self, user_id: UserId, connection_id: ConnectionId, *, most: int
    ) -> list[ConnectionId]:
        """Note a connection that holds a lease; end the leases of the oldest above *most*.

        Returns:
            Those whose leases were ended, for good: they are to be closed.
        """
        ...

    async def close(self, user_id: UserId, connection_id: ConnectionId) -> bool:
        """End a lease for good, known or not yet; return whether the user went offline by it."""
        ...

    async def list_presences(self, user_ids: Sequence[UserId]) -> list[Presence]: ...

    async def lapse(self, *, limit: int) -> list[Presence]:
        """End up to *limit* lapsed leases; return who went offline by it."""
        ...

    async def connections(self, user_id: UserId) -> list[ConnectionId]: ...

    async def swap_watched(
        self, connection_id: ConnectionId, user_ids: Iterable[UserId]
    ) -> set[UserId]:
        """Remember what a connection watches; return what it watched before."""
        ...

    async def publish(self, presence: Presence) -> None:
        """Tell the website, which listens on the channel `presence`."""
        ...

    async def mark_typing(
        self, user_id: UserId, conversation_id: ConversationId, *, typing: bool
    ) -> bool:
        """Return whether to pass on this typing signal: each value once in 2.5 s, never stored.

        The end of typing is passed on only after its beginning was.
        """
        ...
