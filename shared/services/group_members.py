"""The SignalR groups of conversations: who hears what is pushed to all members.

They are changed by calls of our own rather than by the output binding, for three reasons. The
binding stops at the first item that the service refuses, and it refuses to take a connection out of
a group that is gone; here that counts as done. The binding works after the function has returned,
so nobody can look whether the change was still right when it was made. And who leaves is out before
the news of it is sent. Pushes themselves stay with the binding.
"""

import contextlib
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final

from shared.domain.conversation import Conversation
from shared.domain.errors import UnavailableError
from shared.domain.events import LeaveGroup, ToConnection, ToUser, conversation_group
from shared.domain.ids import ConnectionId, ConversationId, UserId
from shared.ports import ConnectionHub, PresenceStore
from shared.services.gathering import gather_at_most

_CALLS: Final = 10  # at once, to the service


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMembers:
    """Puts users and connections into SignalR groups and out of them.

    All calls are made even when one fails; then the first failure is raised: UnavailableError.
    """

    hub: ConnectionHub
    presence: PresenceStore

    async def place(self, conversation: Conversation, users: Iterable[UserId]) -> None:
        """Put *users* into the conversation's group, or out of it, as they are members or not.

        One call of the service for each user, and one for each connection of somebody who left.
        """
        await self._all(self._put(conversation, user) for user in users)

    async def join_alone(self, connection_id: ConnectionId, ids: Iterable[ConversationId]) -> None:
        """Put one connection into groups that the service does not remember for its user."""
        connection = ToConnection(connection_id)
        await self._all(self.hub.join(connection, conversation_group(one)) for one in ids)

    async def join_again(self, user_id: UserId, ids: Iterable[ConversationId]) -> None:
        """Put a user into groups anew, so that the service remembers them for longer."""
        await self._all(self.hub.join(ToUser(user_id), conversation_group(one)) for one in ids)

    async def leave(self, leaving: Iterable[LeaveGroup]) -> None:
        """Take connections out of groups; one that is gone has left."""
        await self._all(self.hub.leave(one.who, one.group) for one in leaving)

    async def _put(self, conversation: Conversation, user_id: UserId) -> None:
        group = conversation_group(conversation.id)
        if conversation.find_member(user_id) is not None:
            await self.hub.join(ToUser(user_id), group)
            return
        await self.hub.leave(ToUser(user_id), group)
        with contextlib.suppress(UnavailableError):
            # A user of very many groups has connections in some of them by themselves.
            connections = await self.presence.connections(user_id)
            await self._all(self.hub.leave(ToConnection(one), group) for one in connections)

    async def _all(self, calls: Iterable[Coroutine[Any, Any, None]]) -> None:
        await gather_at_most(_CALLS, calls)
