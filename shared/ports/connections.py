"""The connections of the SignalR hub, as the chat changes them by itself."""

from typing import Protocol

from shared.domain.events import ToConnection, ToUser


class ConnectionHub(Protocol):
    """Groups and connections of the hub. What is done already, or is not there, counts as done.

    Each method is one call of the service's REST API and is answered when it has taken effect: what
    is sent to a group after `leave` has returned does not reach the one who left. Pushes do not go
    through here: they leave by the output binding (decision 0008).
    """

    async def join(self, who: ToUser | ToConnection, group: str) -> None:
        """Put a connection, or a user with all connections now and later, into a group.

        The service keeps the latest 100 groups of a user, for a year, for connections to come.
        """
        ...

    async def leave(self, who: ToUser | ToConnection, group: str) -> None:
        """Take a connection, or a user with all their connections, out of a group."""
        ...

    async def close(self, who: ToUser | ToConnection, *, reason: str) -> None:
        """End a connection, or all connections of a user; clients connect again by themselves.

        Args:
            reason: Told to the client; no more than a few words.
        """
        ...
