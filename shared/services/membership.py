"""What follows from who is in a conversation: memberships, inboxes, SignalR groups, news.

All of it is derived from the conversation. It is written with the conversation, and completed by
the conversations' change feed when a crash came between.
"""

import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from shared.domain.conversation import Conversation, Member
from shared.domain.errors import UnavailableError
from shared.domain.events import (
    ConversationChanged,
    ConversationRemoved,
    Effect,
    Push,
    ToUser,
    audience,
)
from shared.domain.ids import NO_SEQUENCE, ConversationId, UserId
from shared.domain.live import Head
from shared.domain.seats import Seat
from shared.domain.times import to_ms
from shared.ports import Clock, InboxEntry, LiveState, MembershipStore
from shared.services.gathering import gather_at_most
from shared.services.group_members import GroupMembers
from shared.services.reader import ConversationReader

logger = logging.getLogger(__name__)

_WRITERS: Final = 10
_ROUNDS: Final = 20  # of changes that others made meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Keeps the derived state of conversations' members."""

    reader: ConversationReader
    live: LiveState
    memberships: MembershipStore
    groups: GroupMembers
    clock: Clock

    async def complete(self, conversation: Conversation) -> list[Effect]:
        """Write what a new conversation's members need, and return the news to them."""
        with contextlib.suppress(UnavailableError):
            # Should Redis lose what is sent in this very moment: the change feed brings it again.
            epoch = await self.live.epoch()
            await self.live.seed(conversation, None, (), epoch=epoch)
        await self._settle_now(conversation, conversation.member_ids)
        event = ConversationChanged(conversation, NO_SEQUENCE)
        return [Push(event, to) for to in audience(conversation)]

    async def changed(
        self, before: Conversation, after: Conversation, *, actor: UserId
    ) -> list[Effect]:
        """Follow a change of members or title, and return the news.

        Those who left are out of the SignalR group before this returns, so nothing that is pushed
        afterwards reaches them. What only they must hear, that they were removed, comes first: the
        output binding sends one item after another and stops at the first that fails.
        """
        was, now = set(before.member_ids), set(after.member_ids)
        joined, left = now - was, was - now
        await self._settle_now(after, sorted(joined | left))
        told: list[Effect] = [
            Push(ConversationRemoved(after.id), ToUser(user)) for user in sorted(left)
        ]
        head = await self.reader.head(after)
        event = ConversationChanged(after, head.sequence)
        if after.kind == "direct" or (not joined and not left and before.title == after.title):
            return [*told, Push(event, ToUser(actor))]
        return [*told, *(Push(event, to) for to in audience(after))]

    async def settle(self, conversation: Conversation, users: Iterable[UserId]) -> bool:
        """Make everything derived agree with the conversation, for *users*: in it, or out of it.

        Return whether all of it does now: not where live state or SignalR Service did not answer.

        Several workers may change who is in a conversation at the same time, and each may be slow
        between storing the change and following it. So whoever followed a change looks at the
        newest conversation afterwards, and goes on until the two agree for these users. Take the
        last step that was made for one user. Whoever made it read a conversation after it that
        agrees with it, or would have made another step. A conversation stored after that read
        brings a step of its own, later than the last one, which cannot be. So in the end all agree.
        What a crash cuts short, the change feed of the conversations repeats (`repair`).
        Shown in any order of calls by tests/integration/services/test_group_machine.py.

        Raises:
            UnavailableError: The store did not answer, or the conversation changes all the time.
        """
        concerned = list(dict.fromkeys(users))
        for _ in range(_ROUNDS):
            done = await self._follow(conversation, concerned)
            newest = await self._newest(conversation)
            if _who(newest, concerned) == _who(conversation, concerned):
                return done
            conversation = newest
        raise UnavailableError("the conversation is being changed")

    async def put(self, conversation: Conversation, members: Iterable[Member]) -> bool:
        """Put the conversation into the members' inboxes; doing it again changes nothing.

        Return whether live state has it too.
        """
        joined, now = list(members), self.clock.now()
        await gather_at_most(
            _WRITERS,
            (
                self.memberships.put(
                    member.user_id, conversation.id, member.joined_at, active_from=now
                )
                for member in joined
            ),
        )
        try:
            if joined:
                await self._put_live(conversation, joined)
        except UnavailableError:
            return False
        return True

    async def repair(self, conversation: Conversation) -> None:
        """Complete what follows from a conversation's members, in case a crash came between.

        Called for every change of the item, flushes of receipts included; done once for each
        version, as far as live state remembers. Doing it again changes nothing.

        Raises:
            UnavailableError: A service did not answer: repair it again, for until live state has
                the version, other workers do not know that somebody is out.
        """
        await self.live.set_version(conversation.id, conversation.version)
        if await self.live.repaired_version(conversation.id) >= conversation.version:
            return
        if not await self.settle(conversation, [*conversation.left, *conversation.member_ids]):
            raise UnavailableError("SignalR Service or live state does not answer")
        await self.live.mark_repaired(conversation.id, conversation.version)

    async def forget(self, user_id: UserId, conversation_id: ConversationId) -> None:
        """Take a conversation out of a former member's memberships and inbox."""
        await self.memberships.remove(user_id, conversation_id)
        with contextlib.suppress(UnavailableError):
            await self.live.drop_inbox(user_id, conversation_id)

    async def _put_live(self, conversation: Conversation, joined: list[Member]) -> None:
        users, at = [member.user_id for member in joined], joined[0].joined_at
        head = await self.live.head(conversation.id)
        activity = max(to_ms(conversation.created_at), to_ms(at), to_ms(head.at) if head.at else 0)
        await self.live.put_inbox(users, InboxEntry(conversation.id, activity))
        if conversation.kind == "group":
            # From now, not from when they joined: the service remembers by the latest join.
            await self.live.take_seat(users, Seat(conversation.id, self.clock.now()))

    async def _settle_now(self, conversation: Conversation, users: Iterable[UserId]) -> None:
        # What could not be settled is not marked as done: then the change feed does it.
        if await self.settle(conversation, users):
            with contextlib.suppress(UnavailableError):
                before = conversation.version - 1
                await self.live.mark_repaired(conversation.id, before + 1, follows=before)
        else:
            logger.warning("members of %s left to the change feed", conversation.id)

    async def _follow(self, conversation: Conversation, users: Iterable[UserId]) -> bool:
        members = [(user, conversation.find_member(user)) for user in users]
        done = await self.put(conversation, [member for _, member in members if member])
        for user_id in [user for user, member in members if member is None]:
            await self.memberships.remove(user_id, conversation.id)
            done &= await self._dropped(user_id, conversation)
        try:
            if conversation.kind == "group":
                await self.groups.place(conversation, users)
        except UnavailableError:
            return False
        return done

    async def _dropped(self, user_id: UserId, conversation: Conversation) -> bool:
        try:
            await self.live.drop_inbox(user_id, conversation.id)
        except UnavailableError:
            return False
        return True

    async def _newest(self, conversation: Conversation) -> Conversation:
        try:
            head = await self.live.head(conversation.id)
        except UnavailableError:
            head = Head()
        if head.known and head.version <= conversation.version:
            return conversation
        version = head.version if head.known else None
        found = await self.reader.find(conversation.id, version=version)
        return found if found and found.version > conversation.version else conversation


def _who(conversation: Conversation, users: Iterable[UserId]) -> list[bool]:
    return [conversation.find_member(user) is not None for user in users]
