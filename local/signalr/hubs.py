"""Who is connected to which hub, as which user, in which groups. In memory, no I/O."""

from collections.abc import Iterable

from local.signalr.connection import Connection

Members = dict[str, Connection]


class Hub:
    """The open connections of one hub, by id, by user and by group."""

    def __init__(self) -> None:
        self.connections: Members = {}
        self._users: dict[str, Members] = {}
        self._groups: dict[str, Members] = {}

    def join(self, connection: Connection, groups: Iterable[str]) -> None:
        """Register *connection* and put it into *groups*."""
        self.connections[connection.id] = connection
        if connection.user_id is not None:
            self._users.setdefault(connection.user_id, {})[connection.id] = connection
        for group in groups:
            self.add(connection, group)

    def leave(self, connection: Connection) -> None:
        """Forget *connection* and its memberships."""
        self.connections.pop(connection.id, None)
        if connection.user_id is not None:
            _drop(self._users, connection.user_id, connection)
        self.remove_from_all(connection)

    def add(self, connection: Connection, group: str) -> None:
        self._groups.setdefault(group, {})[connection.id] = connection
        connection.groups.add(group)

    def remove(self, connection: Connection, group: str) -> None:
        connection.groups.discard(group)
        _drop(self._groups, group, connection)

    def remove_from_all(self, connection: Connection) -> None:
        for group in list(connection.groups):
            self.remove(connection, group)

    def of_user(self, user_id: str) -> list[Connection]:
        return list(self._users.get(user_id, {}).values())

    def of_group(self, group: str) -> list[Connection]:
        return list(self._groups.get(group, {}).values())


class Hubs:
    """Every hub of the service; a hub exists as soon as it is named."""

    def __init__(self) -> None:
        self._hubs: dict[str, Hub] = {}

    def get(self, name: str) -> Hub:
        hub = self._hubs.get(name)
        if hub is None:
            hub = self._hubs[name] = Hub()
        return hub

    def connections(self) -> list[Connection]:
        return [each for hub in self._hubs.values() for each in hub.connections.values()]

    def count(self) -> int:
        return sum(len(hub.connections) for hub in self._hubs.values())


def _drop(index: dict[str, Members], key: str, connection: Connection) -> None:
    members = index.get(key)
    if members is None:
        return
    members.pop(connection.id, None)
    if not members:
        del index[key]
