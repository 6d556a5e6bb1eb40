"""The SignalR groups of conversations: who receives what is pushed to all members.

Groups are changed by calls of the service's REST API and not by the output binding, for three
reasons. The binding stops at the first item that the service refuses, and the service refuses to
take a connection that is gone out of a group; here that counts as done. The binding works after the
function has returned, so nobody can check whether the change was still right when it was made. And
a user who leaves must be out of the group before the push about it is sent. The pushes themselves
stay with the binding (docs/decisions/0022-groups-are-changed-by-our-own-calls.md).
"""

import contextlib
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final

from shared.domain.conversations.conversation import Conversation
from shared.domain.errors import UnavailableError
from shared.domain.events import LeaveGroup, ToConnection, ToUser, conversation_group
from shared.domain.ids import ConnectionId, ConversationId, UserId
from shared.ports import ConnectionHub, PresenceStore
from shared.services.gathering import gather_at_most

_CALLS: Final = 10  # to the service at the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMembers:
    """Puts users and connections into SignalR groups and out of them.

    All calls are made, even when one fails. Then the first failure is raised: UnavailableError.
    """

    hub: ConnectionHub
    presence: PresenceStore

    async def place(self, conversation: Conversation, users: Iterable[UserId]) -> None:
        """Put the members among *users* into the conversation's group, and the others out of it.

        Costs one call of the service for each user, and one for each connection of a user who left.
        """
        await self._all(self._put(conversation, user) for user in users)

    async def join_alone(self, connection_id: ConnectionId, ids: Iterable[ConversationId]) -> None:
        """Put one connection into groups that the service does not remember for its user."""
        connection = ToConnection(connection_id)
        await self._all(self.hub.join(connection, conversation_group(group)) for group in ids)

    async def join_again(self, user_id: UserId, ids: Iterable[ConversationId]) -> None:
        """Put a user into groups once more, so that the service remembers them for longer."""
        await self._all(self.hub.join(ToUser(user_id), conversation_group(group)) for group in ids)

    async def leave(self, leaving: Iterable[LeaveGroup]) -> None:
        """Take connections out of groups; a connection that is gone has left."""
        await self._all(self.hub.leave(effect.who, effect.group) for effect in leaving)

    async def _put(self, conversation: Conversation, user_id: UserId) -> None:
        group = conversation_group(conversation.id)
        if conversation.find_member(user_id) is not None:
            await self.hub.join(ToUser(user_id), group)
            return
        await self.hub.leave(ToUser(user_id), group)
        with contextlib.suppress(UnavailableError):
            # The connections of a user with very many groups join some of them one by one
            # (`ConnectionGroups`), and leave them one by one.
            connections = await self.presence.connections(user_id)
            await self._all(self.hub.leave(ToConnection(each), group) for each in connections)

    async def _all(self, calls: Iterable[Coroutine[Any, Any, None]]) -> None:
        await gather_at_most(_CALLS, calls)
