"""What follows from who is in a conversation: memberships, inboxes, SignalR groups, news.

All of it is derived from the conversation. It is written with the conversation, and completed by
the conversations' change feed when a crash came between.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.domain.conversation import Conversation, Member
from shared.domain.errors import UnavailableError
from shared.domain.events import (
    ConversationChanged,
    ConversationRemoved,
    Effect,
    JoinGroup,
    LeaveGroup,
    Push,
    ToConnection,
    ToGroup,
    ToUser,
    conversation_group,
)
from shared.domain.ids import NO_SEQUENCE, UserId
from shared.domain.live import InboxEntry
from shared.domain.seats import Seat
from shared.domain.times import to_ms
from shared.ports import LiveState, MembershipStore, PresenceStore
from shared.services.entrance import Entrance
from shared.services.inbox import Inbox

_WRITERS: Final = 10


@dataclass(frozen=True, slots=True)
class Membership:
    """Keeps the derived state of conversations' members."""

    entrance: Entrance
    inbox: Inbox
    live: LiveState
    memberships: MembershipStore
    presence: PresenceStore

    async def complete(
        self, conversation: Conversation, *, joined: Iterable[Member]
    ) -> list[Effect]:
        """Write what a new conversation's members need, and return the news to them."""
        members = list(joined)
        with contextlib.suppress(UnavailableError):
            # Should Redis lose what is sent in this very moment: the change feed brings it again.
            epoch = await self.live.epoch()
            await self.live.seed(conversation, None, (), epoch=epoch)
        await self.put(conversation, members)
        await self._mark_repaired(conversation)
        event = ConversationChanged(conversation, NO_SEQUENCE)
        if conversation.kind == "direct":
            return [Push(event, ToUser(member.user_id)) for member in members]
        group = conversation_group(conversation.id)
        joins: list[Effect] = [JoinGroup(ToUser(m.user_id), group) for m in members]
        return [*joins, Push(event, ToGroup(group))]

    async def changed(
        self, before: Conversation, after: Conversation, *, actor: UserId
    ) -> list[Effect]:
        """Follow a change of members or title; return it as news, the leavers' doors shut first."""
        was, now = set(before.member_ids), set(after.member_ids)
        joined = [member for member in after.members if member.user_id not in was]
        left = sorted(was - now)
        await self.put(after, joined)
        effects: list[Effect] = []
        for user_id in left:
            await self.inbox.forget(user_id, after.id)
            effects += await self._shut_out(user_id, after)
        if not left:  # a door that is to be shut is tried twice: now, and by the change feed
            await self._mark_repaired(after)
        head = await self.entrance.head(after)
        event = ConversationChanged(after, head.sequence)
        if after.kind == "direct" or (not joined and not left and before.title == after.title):
            return [*effects, Push(event, ToUser(actor))]
        group = conversation_group(after.id)
        effects += [JoinGroup(ToUser(member.user_id), group) for member in joined]
        return [*effects, Push(event, ToGroup(group))]

    async def put(self, conversation: Conversation, members: Iterable[Member]) -> None:
        """Put the conversation into the members' inboxes; doing it again changes nothing."""
        slots = asyncio.Semaphore(_WRITERS)
        at = to_ms(conversation.created_at)

        async def one(member: Member) -> None:
            async with slots:
                await self.memberships.put(member.user_id, conversation.id, member.joined_at)

        joined = list(members)
        await asyncio.gather(*map(one, joined))
        if not joined:
            return
        with contextlib.suppress(UnavailableError):
            head = await self.live.head(conversation.id)
            at = max(at, to_ms(head.at) if head.at else 0, to_ms(joined[0].joined_at))
            entry = InboxEntry(conversation.id, at)
            await self.live.put_inbox([member.user_id for member in joined], entry)
            if conversation.kind == "group":
                seat = Seat(conversation.id, joined[0].joined_at)
                await self.live.take_seat([member.user_id for member in joined], seat)

    async def repair(self, conversation: Conversation) -> list[Effect]:
        """Complete what follows from a conversation's members, in case a crash came between.

        Called for every change of the item, flushes of receipts included; done once for each
        version, as far as live state remembers. Doing it again changes nothing.
        """
        await self.raise_version(conversation)
        if await self._is_repaired(conversation):
            return []
        await self.put(conversation, conversation.present)
        for user_id in conversation.left:
            await self.inbox.forget(user_id, conversation.id)
        await self._mark_repaired(conversation)
        if conversation.kind == "direct":
            return []
        group = conversation_group(conversation.id)
        shut: list[Effect] = [LeaveGroup(ToUser(user), group) for user in conversation.left]
        return [*shut, *(JoinGroup(ToUser(user), group) for user in conversation.member_ids)]

    async def raise_version(self, conversation: Conversation) -> None:
        """Tell every process's cache that a newer version exists."""
        with contextlib.suppress(UnavailableError):
            await self.live.set_version(conversation.id, conversation.version)

    async def _mark_repaired(self, conversation: Conversation) -> None:
        with contextlib.suppress(UnavailableError):
            await self.live.mark_repaired(conversation.id, conversation.version)

    async def _is_repaired(self, conversation: Conversation) -> bool:
        try:
            done = await self.live.repaired_version(conversation.id)
        except UnavailableError:
            return False
        return done >= conversation.version

    async def _shut_out(self, user_id: UserId, conversation: Conversation) -> list[Effect]:
        group = conversation_group(conversation.id)
        effects: list[Effect] = [LeaveGroup(ToUser(user_id), group)]
        with contextlib.suppress(UnavailableError):
            # A user of very many groups has connections in some of them by themselves.
            connections = await self.presence.connections(user_id)
            effects += [LeaveGroup(ToConnection(one), group) for one in connections]
        return [*effects, Push(ConversationRemoved(conversation.id), ToUser(user_id))]
