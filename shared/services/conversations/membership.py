"""What follows from who is in a conversation: memberships, inboxes, SignalR groups, pushes.

All of it is derived from the conversation. Whoever changes the conversation writes it as well, and
the change feed of the conversations completes it where a crash came between.
"""

import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from shared.domain.conversations.conversation import Conversation, Member
from shared.domain.conversations.group_memberships import GroupMembership
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
from shared.domain.times import to_ms
from shared.ports import (
    Clock,
    ConversationHeads,
    GroupMemberships,
    InboxEntry,
    InboxState,
    MembershipStore,
    ReconciledVersions,
)
from shared.services.conversations.group_members import GroupMembers
from shared.services.conversations.reader import ConversationReader
from shared.services.gathering import gather_at_most

logger = logging.getLogger(__name__)

_WRITERS: Final = 10
_ROUNDS: Final = 20  # how often others may change the conversation meanwhile


class _LiveState(ConversationHeads, GroupMemberships, InboxState, ReconciledVersions, Protocol):
    """The parts of live state that follow a change of members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Makes everything that is derived from a conversation's members agree with them."""

    reader: ConversationReader
    live: _LiveState
    memberships: MembershipStore
    groups: GroupMembers
    clock: Clock

    async def complete(self, conversation: Conversation) -> list[Effect]:
        """Write what the members of a new conversation need, and return the pushes to them."""
        with contextlib.suppress(UnavailableError):
            # Live state may lose this at once: then the change feed brings the conversation again.
            epoch = await self.live.epoch()
            await self.live.seed(conversation, None, (), epoch=epoch)
        await self._settle_now(conversation, conversation.member_ids)
        event = ConversationChanged(conversation, NO_SEQUENCE)
        return [Push(event, to) for to in audience(conversation)]

    async def changed(
        self, before: Conversation, after: Conversation, *, actor: UserId
    ) -> list[Effect]:
        """Follow a change of members or title, and return the pushes.

        Users who left are out of the SignalR group when this returns, so nothing that is pushed
        afterwards reaches them. The push that tells them so comes first, because the output binding
        sends one item after the other and stops at the first that fails.
        """
        was, now = set(before.member_ids), set(after.member_ids)
        joined, left = now - was, was - now
        await self._settle_now(after, sorted(joined | left))
        removed: list[Effect] = [
            Push(ConversationRemoved(after.id), ToUser(user)) for user in sorted(left)
        ]
        head = await self.reader.head(after)
        event = ConversationChanged(after, head.sequence)
        if after.kind == "direct" or (not joined and not left and before.title == after.title):
            return [*removed, Push(event, ToUser(actor))]
        return [*removed, *(Push(event, to) for to in audience(after))]

    async def settle(self, conversation: Conversation, users: Iterable[UserId]) -> bool:
        """Make everything derived agree with the conversation for *users*: in it, or out of it.

        Return whether all of it does now, which is not so where live state or SignalR Service did
        not answer.

        Several workers may change who is in a conversation at the same time, and each may be slow
        between storing its change and following it. Then the slower worker could put a user back
        whom the faster one has just removed. So a worker that has followed a change reads the
        newest conversation afterwards, and goes on until both agree for these users.

        This ends with everything in agreement, for this reason. Take the last step that any worker
        takes for one user. That worker reads a conversation after its step which agrees with the
        step; otherwise it would take another one. A change that is stored after that reading is
        followed by a step of its own, which would be later than the last step. So there is no such
        change, and the last step agrees with the newest conversation.

        What a crash cuts short, the change feed of the conversations repeats (`reconcile`). Proved
        for any order of calls by tests/integration/services/test_group_machine.py.

        Raises:
            UnavailableError: The store did not answer, or others change the conversation again and
                again.
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

    async def reconcile(self, conversation: Conversation) -> None:
        """Complete what follows from a conversation's members, where a crash cut it short.

        The change feed calls this for every change of the item, flushes of receipts included. The
        work is done once for each version, as far as live state remembers. Doing it again changes
        nothing.

        Raises:
            UnavailableError: A service did not answer. The feed must bring the conversation again:
                until live state has its version, other workers do not know who was removed.
        """
        await self.live.set_version(conversation.id, conversation.version)
        if await self.live.reconciled_version(conversation.id) >= conversation.version:
            return
        if not await self.settle(conversation, [*conversation.left, *conversation.member_ids]):
            raise UnavailableError("SignalR Service or live state does not answer")
        await self.live.mark_reconciled(conversation.id, conversation.version)

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
            # The time is now, not when they joined: the service remembers the latest joins.
            await self.live.add_group_membership(
                users, GroupMembership(conversation.id, self.clock.now())
            )

    async def _settle_now(self, conversation: Conversation, users: Iterable[UserId]) -> None:
        # Where this fails, nothing is marked as done, and the change feed completes it.
        if await self.settle(conversation, users):
            with contextlib.suppress(UnavailableError):
                before = conversation.version - 1
                await self.live.mark_reconciled(conversation.id, before + 1, follows=before)
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
        if head.is_cached and head.version <= conversation.version:
            return conversation
        version = head.version if head.is_cached else None
        newest = await self.reader.find(conversation.id, version=version)
        return newest if newest and newest.version > conversation.version else conversation


def _who(conversation: Conversation, users: Iterable[UserId]) -> list[bool]:
    return [conversation.find_member(user) is not None for user in users]
