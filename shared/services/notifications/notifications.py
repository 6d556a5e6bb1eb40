"""Delivering notifications: checked once more against the receipts, then sent to each device."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from shared.domain.conversations.conversation import Conversation
from shared.domain.ids import UserId
from shared.domain.messages.message import Message
from shared.domain.messages.receipt import Receipt
from shared.domain.people.notification import (
    Notification,
    NotificationJob,
    absentees,
    compose,
    unseen,
    without_muted,
)
from shared.domain.people.user import User
from shared.ports import Bus, Clock, MembershipStore, UserStore
from shared.services.conversations.reader import ConversationReader
from shared.services.gathering import gather_at_most
from shared.services.notifications.device_notifier import DeviceNotifier

logger = logging.getLogger(__name__)

_MAX_ATTEMPTS: Final = 5
_AT_ONCE: Final = 16  # recipients of one notification job, each with all their devices
_BACK_OFF_S: Final = (5, 30, 120, 600, 1800)

type _Missed = Mapping[UserId, tuple[Message, ...]]


class UndeliverableError(Exception):
    """A recipient's devices failed every attempt: the job becomes a dead letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifications:
    """Notifies absent members, each at most once for a message."""

    reader: ConversationReader
    users: UserStore
    memberships: MembershipStore
    notifier: DeviceNotifier
    bus: Bus
    clock: Clock

    async def deliver(self, job: NotificationJob) -> int:
        """Notify the recipients who have still not got the messages; return how many.

        A recipient whose devices fail is queued again alone, later each time.

        Raises:
            UndeliverableError: The last attempt for a recipient has failed.
            UnavailableError: The store did not answer.
        """
        opened = await self.reader.with_receipts([job.conversation_id])
        if not opened:
            return 0
        conversation, receipts = opened[0]
        span = await self.reader.messages(conversation.id, job.first, job.up_to)
        due = await self._due(job, conversation, span, receipts)
        missed = _missed(conversation, span, receipts)
        senders = {missed[user][-1].sender_id for user in due}
        users = {user.id: user for user in await self.users.find_many({*due, *senders})}

        async def notify(user_id: UserId) -> bool:
            return await self._notify(user_id, job, conversation, missed, users)

        # All at once: one after the other, push services that hang would add up to more than the
        # worker's time limit.
        notified = await gather_at_most(_AT_ONCE, map(notify, due))
        failed = [user for user, done in zip(due, notified, strict=True) if not done]
        await self._retry(job, failed)
        return len(due) - len(failed)

    async def _due(
        self,
        job: NotificationJob,
        conversation: Conversation,
        span: list[Message],
        receipts: list[Receipt],
    ) -> list[UserId]:
        waiting = absentees(conversation, span, receipts)
        due = [user for user in job.recipients if user in waiting]
        mutes = await self.memberships.mutes(conversation.id, due)
        return without_muted(due, conversation, mutes, now=self.clock.now())

    async def _notify(
        self,
        user_id: UserId,
        job: NotificationJob,
        conversation: Conversation,
        missed: _Missed,
        users: Mapping[UserId, User],
    ) -> bool:
        user = users.get(user_id)
        if user is None or not user.subscriptions:
            return True
        # Whatever is raised for one recipient is that recipient's failure. Raised any further, it
        # would fail the whole notification job, and keep it from everybody else with each
        # redelivery.
        try:
            notification = _composed(user, conversation, missed[user_id], users)
            by = f"{job.first}-{job.up_to}-{job.attempt}"
            return await self.notifier.notify(user, notification, by=by)
        except Exception:
            logger.exception("notification of %s failed for %s", conversation.id, user.id)
            return False

    async def _retry(self, job: NotificationJob, failed: list[UserId]) -> None:
        for user in failed:
            if job.attempt >= _MAX_ATTEMPTS:
                raise UndeliverableError(f"{job.conversation_id}: no device took it")
            again = replace(job, recipients=(user,), attempt=job.attempt + 1)
            await self.bus.send(again, delay_s=_BACK_OFF_S[min(job.attempt, 4)])


def _composed(
    user: User,
    conversation: Conversation,
    missed: tuple[Message, ...],
    users: Mapping[UserId, User],
) -> Notification:
    newest = missed[-1]
    sender = users.get(newest.sender_id)
    return compose(
        newest,
        conversation,
        sender_name=sender.display_name if sender else newest.sender_id,
        unseen_count=len(missed),
        preview=user.preview,
    )


def _missed(
    conversation: Conversation, span: list[Message], receipts: list[Receipt]
) -> dict[UserId, tuple[Message, ...]]:
    delivered = {receipt.user_id: receipt.delivered for receipt in receipts}
    return {
        member.user_id: unseen(member, span, delivered=delivered[member.user_id])
        for member in conversation.members
    }
