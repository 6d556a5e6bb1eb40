"""The twins of the conversation, membership and user stores."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import override

from shared.domain.conversations.activity import is_renewal_due
from shared.domain.conversations.conversation import Conversation
from shared.domain.conversations.mute import UNSAID, Mute
from shared.domain.ids import NO_SEQUENCE, ConversationId, UserId
from shared.domain.people.user import User
from shared.ports import (
    ConversationStore,
    FlushedState,
    LiveConversation,
    MembershipStore,
    UserStore,
    VersionConflictError,
)
from tests.twins.faulty_link import FaultyLink, Replica

_NOT_FLUSHED = FlushedState(NO_SEQUENCE, ())


@dataclass(frozen=True, slots=True)
class _Item:
    conversation: Conversation
    flushed: FlushedState = _NOT_FLUSHED


class ConversationTable:
    """What is stored, whoever reads it: the states of each item, newest last."""

    def __init__(self) -> None:
        self.logs: defaultdict[ConversationId, list[_Item]] = defaultdict(list)


class MemoryConversationStore(ConversationStore):
    """Fulfils `ConversationStore` as one session: one worker's client.

    Args:
        table: Shared by the stores of several workers.
    """

    def __init__(
        self, *, table: ConversationTable | None = None, link: FaultyLink | None = None
    ) -> None:
        self.table = table or ConversationTable()
        self.link = link or FaultyLink()
        self.replica = Replica()

    @override
    async def find(self, conversation_id: ConversationId) -> Conversation | None:
        async with self.link.call("find"):
            item = self._read(conversation_id)
            return item.conversation if item else None

    @override
    async def find_with_state(
        self, conversation_id: ConversationId
    ) -> tuple[Conversation, FlushedState] | None:
        async with self.link.call("find_with_state"):
            item = self._read(conversation_id)
            return (item.conversation, item.flushed) if item else None

    @override
    async def find_many(self, ids: Iterable[ConversationId]) -> list[Conversation]:
        async with self.link.call("find_many"):
            return [item.conversation for one in ids if (item := self._read(one))]

    @override
    async def find_many_with_state(
        self, ids: Iterable[ConversationId]
    ) -> list[tuple[Conversation, FlushedState]]:
        async with self.link.call("find_many_with_state"):
            items = [item for one in ids if (item := self._read(one))]
            return [(item.conversation, item.flushed) for item in items]

    @override
    async def list_ids(self, after: str, *, limit: int) -> tuple[list[ConversationId], str]:
        async with self.link.call("list_ids"):
            begin = int(after or 0)
            ids = list(self.table.logs)[begin : begin + limit]
            return ids, str(begin + len(ids))

    @override
    async def add(self, conversation: Conversation) -> Conversation | None:
        async with self.link.call("add"):
            if self._stored(conversation.id):
                return None
            flushed = replace(_NOT_FLUSHED, active_from=conversation.created_at)
            self._write(_Item(conversation, flushed))
            return conversation

    @override
    async def replace(self, conversation: Conversation) -> Conversation:
        async with self.link.call("replace"):
            item = self._stored(conversation.id)
            if item is None or item.conversation.version != conversation.version - 1:
                raise VersionConflictError
            self._write(replace(item, conversation=conversation))
            return conversation

    @override
    async def save_state(
        self, state: LiveConversation, *, active_from: datetime | None = None
    ) -> None:
        async with self.link.call("save_state"):
            item, head = self._stored(state.conversation_id), state.head
            if item is None or item.flushed.flush_id not in {0, state.previous_flush_id}:
                raise VersionConflictError
            known = item.flushed.active_from
            if active_from is None and head.at and is_renewal_due(known, head.at):
                raise VersionConflictError
            flushed = FlushedState(
                head.sequence, state.receipts, state.flush_id, head.at, active_from or known
            )
            self._write(replace(item, flushed=flushed))

    def _stored(self, conversation_id: ConversationId) -> _Item | None:
        log = self.table.logs[conversation_id]
        return log[-1] if log else None

    def _read(self, conversation_id: ConversationId) -> _Item | None:
        seen = self.replica.view(conversation_id, self.table.logs[conversation_id])
        return seen[-1] if seen else None

    def _write(self, item: _Item) -> None:
        log = self.table.logs[item.conversation.id]
        log.append(item)
        self.replica.wrote(item.conversation.id, log)


class MemoryMembershipStore(MembershipStore):
    """Fulfils `MembershipStore`."""

    def __init__(self, *, link: FaultyLink | None = None) -> None:
        self.link = link or FaultyLink()
        self._joined: defaultdict[UserId, dict[ConversationId, datetime]] = defaultdict(dict)
        self._mutes: dict[tuple[UserId, ConversationId], Mute] = {}
        self.active_from: dict[tuple[UserId, ConversationId], datetime] = {}

    @override
    async def put(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        at: datetime,
        *,
        active_from: datetime | None = None,
    ) -> None:
        async with self.link.call("put"):
            if conversation_id not in self._joined[user_id] and active_from:
                self.active_from[user_id, conversation_id] = active_from
            self._joined[user_id].setdefault(conversation_id, at)

    @override
    async def renew(
        self, user_id: UserId, conversation_id: ConversationId, active_from: datetime
    ) -> None:
        async with self.link.call("renew"):
            if conversation_id in self._joined[user_id]:
                place = user_id, conversation_id
                self.active_from[place] = max(active_from, self.active_from.get(place, active_from))

    @override
    async def remove(self, user_id: UserId, conversation_id: ConversationId) -> None:
        async with self.link.call("remove"):
            self._joined[user_id].pop(conversation_id, None)
            self._mutes.pop((user_id, conversation_id), None)
            self.active_from.pop((user_id, conversation_id), None)

    @override
    async def list_all(self, user_id: UserId) -> dict[ConversationId, datetime]:
        async with self.link.call("list_all"):
            return dict(self._joined[user_id])

    @override
    async def list_newest(
        self, user_id: UserId, *, limit: int
    ) -> list[tuple[ConversationId, datetime]] | None:
        async with self.link.call("list_newest"):
            joined = self._joined[user_id]
            found = {one: self.active_from.get((user_id, one)) for one in joined}
            bounded = [(one, at) for one, at in found.items() if at]
            if len(bounded) < len(found):
                return None
            return sorted(bounded, key=lambda one: one[1], reverse=True)[:limit]

    @override
    async def list_active(self, user_id: UserId, *, after: datetime) -> list[ConversationId]:
        async with self.link.call("list_active"):
            places = ((one, self.active_from.get((user_id, one))) for one in self._joined[user_id])
            return [one for one, at in places if at and at > after]

    @override
    async def mute(
        self, user_id: UserId, conversation_id: ConversationId, until: datetime | None
    ) -> Mute | None:
        async with self.link.call("mute"):
            if conversation_id not in self._joined[user_id]:
                return None
            place = (user_id, conversation_id)
            self._mutes[place] = Mute(until, self._mutes.get(place, UNSAID).order + 1)
            return self._mutes[place]

    @override
    async def mutes(
        self, conversation_id: ConversationId, users: Iterable[UserId]
    ) -> dict[UserId, Mute]:
        async with self.link.call("mutes"):
            found = ((user, self._mutes.get((user, conversation_id))) for user in users)
            return {user: mute for user, mute in found if mute}

    @override
    async def mutes_of(
        self, user_id: UserId, ids: Iterable[ConversationId]
    ) -> dict[ConversationId, Mute]:
        async with self.link.call("mutes_of"):
            found = ((one, self._mutes.get((user_id, one))) for one in ids)
            return {one: mute for one, mute in found if mute}


class MemoryUserStore(UserStore):
    """Fulfils `UserStore`: an etag names each state."""

    def __init__(self, users: Iterable[User] = (), *, link: FaultyLink | None = None) -> None:
        self.link = link or FaultyLink()
        self.owners: dict[str, UserId] = {}
        self.stored: dict[UserId, User] = {}
        self._writes = 0
        for user in users:
            self.write(user)

    @override
    async def find(self, user_id: UserId) -> User | None:
        async with self.link.call("find"):
            return self.stored.get(user_id)

    @override
    async def find_many(self, ids: Iterable[UserId]) -> list[User]:
        async with self.link.call("find_many"):
            return [user for one in ids if (user := self.stored.get(one))]

    @override
    async def add(self, user: User) -> User | None:
        async with self.link.call("add"):
            return None if user.id in self.stored else self.write(user)

    @override
    async def replace(self, user: User) -> User:
        async with self.link.call("replace"):
            stored = self.stored.get(user.id)
            if stored is None or stored.etag != user.etag:
                raise VersionConflictError
            return self.write(user)

    @override
    async def find_endpoint_owner(self, endpoint: str) -> UserId | None:
        async with self.link.call("find_endpoint_owner"):
            return self.owners.get(endpoint)

    @override
    async def claim_endpoint(self, endpoint: str, user_id: UserId, *, after: UserId | None) -> bool:
        async with self.link.call("claim_endpoint"):
            if self.owners.get(endpoint) != after:
                return False
            self.owners[endpoint] = user_id
            return True

    @override
    async def release_endpoint(self, endpoint: str, user_id: UserId) -> None:
        async with self.link.call("release_endpoint"):
            if self.owners.get(endpoint) == user_id:
                del self.owners[endpoint]

    def write(self, user: User) -> User:
        self._writes += 1
        stored = replace(user, etag=f"etag-{self._writes}")
        self.stored[user.id] = stored
        return stored
