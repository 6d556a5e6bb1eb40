"""Muting: whether a member wants notifications of a conversation.

A mute is the member's own state and is stored in their membership. So it changes nothing for the
other members, and nobody can hold up a change of the conversation by muting it again and again.
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime

from shared.domain.conversations.conversation import Conversation
from shared.domain.conversations.mute import Mute
from shared.domain.errors import NotFoundError, UnavailableError
from shared.domain.events import Effect, InboxChanged, Push, ToUser
from shared.domain.ids import ConversationId, UserId
from shared.domain.live import NO_EPOCH, Epoch
from shared.ports import Call, InboxState, MembershipStore
from shared.services.admission.admission import Admission
from shared.services.conversations.membership import Membership
from shared.services.inbox.inbox import Inbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Muting:
    """ConversationLocks a member's notifications of a conversation off and on."""

    admission: Admission
    inbox: Inbox
    live: InboxState
    memberships: MembershipStore
    membership: Membership

    async def mute(
        self, call: Call, conversation_id: ConversationId, *, until: datetime | None
    ) -> list[Effect]:
        """Turn the caller's notifications off until *until*, or on again; return the pushes.

        Two devices of one user may mute at the same time, and the workers may write to live state
        in another order than to the store. The store counts the changes of a mute, and live state
        keeps the mute with the greater count. So store and live state end with the same mute.
        Proved by test_two_devices_that_mute_at_once_end_with_the_same.

        Raises:
            NotFoundError: There is no such conversation for this caller.
            RateLimitedError: The caller's bucket is empty.
            UnavailableError: The store did not answer.
        """
        admitted = await self.admission.admit_to(call, conversation_id)
        epoch = await self._epoch()
        mute = await self._stored(admitted.conversation, call.user_id, until)
        with contextlib.suppress(UnavailableError):
            # Where this fails, inboxes show the former mute for an hour at most: see
            # `adapters/redis/users/mutes.py`.
            if epoch:
                await self.live.remember_mutes(call.user_id, {conversation_id: mute}, epoch=epoch)
            await self.live.touch([(call.user_id, conversation_id)])  # syncs with a cursor bring it
        return [*admitted.effects, *await self._pushes(call.user_id, conversation_id)]

    async def _epoch(self) -> Epoch:
        try:
            return await self.live.epoch()
        except UnavailableError:
            return NO_EPOCH

    async def _stored(
        self, conversation: Conversation, user_id: UserId, until: datetime | None
    ) -> Mute:
        mute = await self.memberships.mute(user_id, conversation.id, until)
        if mute is None:  # a crash came between the conversation and its memberships
            await self.membership.settle(conversation, [user_id])
            mute = await self.memberships.mute(user_id, conversation.id, until)
        if mute is None:
            raise NotFoundError("no such conversation")
        return mute

    async def _pushes(self, user_id: UserId, conversation_id: ConversationId) -> list[Effect]:
        try:
            rows = await self.inbox.rows(user_id, [conversation_id])
        except UnavailableError:
            return []  # the mute is stored, and a push is a hint
        items = self.inbox.items(rows, user_id)
        return [Push(InboxChanged(item), ToUser(user_id)) for item in items]
