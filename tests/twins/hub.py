"""The twin of the SignalR hub: its connections, and what it remembers of users' groups."""

from collections import Counter, defaultdict
from typing import Final, override

from shared.domain.events import Effect, Event, JoinGroup, LeaveGroup, Push, ToConnection, ToUser
from shared.domain.ids import ConnectionId, UserId
from shared.ports import ConnectionHub
from tests.twins.faulty_link import FaultyLink

REMEMBERED: Final = 100  # groups of a user that the service keeps for connections to come


class MemoryConnectionHub(ConnectionHub):
    """Fulfils `ConnectionHub`, and does what the service does when clients come and go."""

    def __init__(self, *, link: FaultyLink | None = None) -> None:
        self.link = link or FaultyLink()
        self.calls: Counter[str] = Counter()
        self.remembered: defaultdict[UserId, dict[str, None]] = defaultdict(dict)
        self.connections: dict[ConnectionId, tuple[UserId, set[str]]] = {}
        self.heard: defaultdict[ConnectionId, list[Event]] = defaultdict(list)

    @override
    async def join(self, who: ToUser | ToConnection, group: str) -> None:
        async with self.link.call("join"):
            if isinstance(who, ToUser):
                groups = self.remembered[who.user_id]
                groups.pop(group, None)
                groups[group] = None
                while len(groups) > REMEMBERED:
                    del groups[next(iter(groups))]
            for _, joined in self._of(who):
                joined.add(group)

    @override
    async def leave(self, who: ToUser | ToConnection, group: str) -> None:
        async with self.link.call("leave"):
            if isinstance(who, ToUser):
                self.remembered[who.user_id].pop(group, None)
            for _, joined in self._of(who):
                joined.discard(group)

    @override
    async def close(self, who: ToUser | ToConnection, *, reason: str) -> None:
        async with self.link.call("close"):
            for connection_id, _ in self._of(who):
                self.disconnect(connection_id)

    def connect(self, user_id: UserId, connection_id: ConnectionId) -> None:
        """Open a connection: it is in the groups that the service remembers of its user."""
        self.connections[connection_id] = (user_id, set(self.remembered[user_id]))

    def disconnect(self, connection_id: ConnectionId) -> None:
        """End a connection, and its groups with it."""
        self.connections.pop(connection_id, None)

    def audience(self, group: str) -> set[ConnectionId]:
        """Return the connections that hear what is sent to *group*."""
        return {one for one, (_, joined) in self.connections.items() if group in joined}

    async def send(self, effects: list[Effect]) -> None:
        """Do what the output binding does: one item after another, until one fails.

        Raises:
            LookupError: A connection that is to leave a group is gone; what follows is not sent.
        """
        for effect in effects:
            match effect:
                case Push(event, to):
                    for connection_id in self._reached(to):
                        self.heard[connection_id].append(event)
                case JoinGroup(who, group):
                    await self.join(who, group)
                case LeaveGroup(who, group):
                    if isinstance(who, ToConnection) and who.connection_id not in self.connections:
                        raise LookupError("the service answered 404, and the binding stopped")
                    await self.leave(who, group)

    def _reached(self, to: object) -> set[ConnectionId]:
        if isinstance(to, ToUser | ToConnection):
            return {connection_id for connection_id, _ in self._of(to)}
        return self.audience(getattr(to, "group", ""))

    def _of(self, who: ToUser | ToConnection) -> list[tuple[ConnectionId, set[str]]]:
        return [
            (connection_id, joined)
            for connection_id, (user_id, joined) in self.connections.items()
            if who in (ToUser(user_id), ToConnection(connection_id))
        ]
