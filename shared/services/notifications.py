"""Notifying the absent: decided from the change feed, checked again, delivered per device."""

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from shared import telemetry
from shared.domain.conversation import Conversation
from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId, UserId
from shared.domain.live import Head
from shared.domain.message import Message
from shared.domain.notification import (
    Notice,
    Notification,
    absentees,
    compose,
    unseen,
    without_muted,
)
from shared.domain.receipt import Receipt
from shared.domain.user import Subscription, User
from shared.ports import (
    Bus,
    Clock,
    MembershipStore,
    NoticeMarks,
    NotificationChannel,
    PresenceStore,
    UserStore,
)
from shared.services.accounts import Accounts
from shared.services.entrance import Entrance
from shared.services.reader import ConversationReader, receipts_of

logger = logging.getLogger(__name__)

_MAX_ATTEMPTS: Final = 5
_AT_ONCE: Final = 16  # recipients of one notice, each with all their devices
_BACK_OFF_S: Final = (5, 30, 120, 600, 1800)

type _Outcome = Literal["taken", "gone", "failed"]


class UndeliverableError(Exception):
    """A recipient's devices failed every attempt: the queue's dead letters keep the notice."""


@dataclass(frozen=True, slots=True)
class Notifications:
    """Finds absent members and notifies them, each at most once for a message."""

    entrance: Entrance
    reader: ConversationReader
    users: UserStore
    memberships: MembershipStore
    accounts: Accounts
    presence: PresenceStore
    marks: NoticeMarks
    bus: Bus
    channel: NotificationChannel
    clock: Clock
    delay_s: int

    async def decide(self, messages: Iterable[Message]) -> None:
        """Queue one notice per conversation for those away, and a later one for those online.

        Repeats are harmless: a notice's id follows from its content, and the queue drops it.

        Raises:
            UnavailableError: The queue or the store did not answer; decide the batch again.
        """
        batches: dict[ConversationId, list[Message]] = defaultdict(list)
        for message in messages:
            batches[message.conversation_id].append(message)
        waiting = {
            conversation_id: users
            for conversation_id, users in (await self._waiting(batches)).items()
            if users
        }
        online = await self._online({user for users in waiting.values() for user in users})
        for conversation_id, users in waiting.items():
            await self._queue(batches[conversation_id], users, online)

    async def deliver(self, notice: Notice) -> int:
        """Notify the recipients who have still not got the messages; return how many.

        A recipient who fails is queued again alone, later each time.

        Raises:
            UndeliverableError: The last attempt for a recipient has failed.
            UnavailableError: The store did not answer.
        """
        (known,) = await self.reader.heads_and_receipts([notice.conversation_id])
        conversation, receipts = await self._opened(notice.conversation_id, known)
        if conversation is None:
            return 0
        span = await self.reader.messages(conversation.id, notice.first, notice.up_to)
        waiting = absentees(conversation, span, receipts)
        due = [user for user in notice.recipients if user in waiting]
        mutes = await self.memberships.mutes(conversation.id, due)
        due = without_muted(due, conversation, mutes, now=self.clock.now())
        missed = _missed(conversation, span, receipts)
        senders = {missed[user][-1].sender_id for user in due}
        known_users = {one.id: one for one in await self.users.find_many({*due, *senders})}
        slots = asyncio.Semaphore(_AT_ONCE)

        async def one(user: UserId) -> bool:
            async with slots:
                return await self._notify(user, notice, conversation, missed[user], known_users)

        # At once: one by one, a push service that hangs would add up to the worker's time limit.
        notified = await asyncio.gather(*map(one, due))
        failed = [user for user, done in zip(due, notified, strict=True) if not done]
        await self._retry(notice, failed)
        return len(due) - len(failed)

    async def _waiting(
        self, batches: Mapping[ConversationId, list[Message]]
    ) -> dict[ConversationId, tuple[UserId, ...]]:
        found: dict[ConversationId, tuple[UserId, ...]] = {}
        ids = list(batches)
        for one, known in zip(ids, await self.reader.heads_and_receipts(ids), strict=True):
            conversation, receipts = await self._opened(one, known)
            if conversation is not None:
                found[one] = absentees(conversation, batches[one], receipts)
        return found

    async def _queue(
        self, batch: list[Message], waiting: tuple[UserId, ...], online: set[UserId]
    ) -> None:
        sequences = [message.sequence for message in batch]
        first, up_to = min(sequences), max(sequences)
        away = tuple(user for user in waiting if user not in online)
        near = tuple(user for user in waiting if user in online)
        newest = max(batch, key=lambda message: message.sequence)
        with telemetry.within(newest.trace):
            for users, delay_s in ((away, 0), (near, self.delay_s)):
                if users:
                    notice = Notice(newest.conversation_id, first, up_to, users)
                    await self.bus.send(notice, delay_s=delay_s)
                    _log(notice, delay_s)

    async def _notify(
        self,
        user_id: UserId,
        notice: Notice,
        conversation: Conversation,
        missed: tuple[Message, ...],
        users: Mapping[UserId, User],
    ) -> bool:
        user, newest = users.get(user_id), missed[-1]
        if user is None or not user.subscriptions:
            return True
        if not await self._claimed(user_id, newest, notice):
            return True
        if not await self._pushed(user, conversation, missed, users):
            await self._release(user_id, newest)
            return False
        await self._confirm(user_id, newest)
        return True

    async def _pushed(
        self,
        user: User,
        conversation: Conversation,
        missed: tuple[Message, ...],
        users: Mapping[UserId, User],
    ) -> bool:
        # Whatever is raised for one recipient is that recipient's failure. Raised any further it
        # would fail the whole notice, and with each redelivery keep it from everybody else in it.
        try:
            notification = _composed(user, conversation, missed, users)
            outcomes = await asyncio.gather(
                *(self._push(user, one, notification) for one in user.subscriptions)
            )
            for subscription, outcome in zip(user.subscriptions, outcomes, strict=True):
                if outcome == "gone":
                    await self.accounts.drop_subscription(user.id, subscription.id)
        except Exception:
            logger.exception("notification of %s failed for %s", conversation.id, user.id)
            return False
        return "failed" not in outcomes

    async def _push(
        self, user: User, subscription: Subscription, notification: Notification
    ) -> _Outcome:
        place = notification.conversation_id
        try:
            if not await self.channel.deliver(subscription, notification):
                return "gone"
        except UnavailableError as error:
            logger.info("notification of %s put off: %s", place, error)
            return "failed"
        except Exception:
            logger.exception("notification of %s failed at a device of %s", place, user.id)
            return "failed"
        sequence = notification.sequence
        logger.info("delivered conversation=%s user=%s up_to=%d", place, user.id, sequence)
        return "taken"

    async def _retry(self, notice: Notice, failed: list[UserId]) -> None:
        for user in failed:
            if notice.attempt >= _MAX_ATTEMPTS:
                raise UndeliverableError(f"{notice.conversation_id}: no device took it")
            again = replace(notice, recipients=(user,), attempt=notice.attempt + 1)
            await self.bus.send(again, delay_s=_BACK_OFF_S[min(notice.attempt, 4)])

    async def _opened(
        self, conversation_id: ConversationId, known: tuple[Head, dict[UserId, Receipt]]
    ) -> tuple[Conversation | None, list[Receipt]]:
        head, receipts = known
        version = head.version if head.known else None
        conversation = await self.reader.find(conversation_id, version=version)
        if conversation is None:
            return None, []
        if not head.known:
            _, receipts = await self.reader.recover(
                conversation, epoch=head.epoch, known=receipts.values()
            )
        return conversation, list(receipts_of(conversation, receipts))

    async def _online(self, users: set[UserId]) -> set[UserId]:
        try:
            known = await self.presence.list_presences(sorted(users))
        except UnavailableError:
            return users  # not known: give them the time to acknowledge
        return {one.user_id for one in known if one.status == "online"}

    async def _claimed(self, user_id: UserId, newest: Message, notice: Notice) -> bool:
        by = f"{notice.first}-{notice.up_to}-{notice.attempt}"
        place = (user_id, newest.conversation_id, newest.sequence)
        try:
            return await self.marks.claim(*place, by=by)
        except UnavailableError:
            return True  # rather twice than never

    async def _confirm(self, user_id: UserId, newest: Message) -> None:
        with contextlib.suppress(UnavailableError):
            await self.marks.confirm(user_id, newest.conversation_id, newest.sequence)

    async def _release(self, user_id: UserId, newest: Message) -> None:
        try:
            await self.marks.release(user_id, newest.conversation_id, newest.sequence)
        except UnavailableError:
            logger.warning("notification mark not taken back")


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


def _log(notice: Notice, delay_s: float) -> None:
    logger.info(
        "queued conversation=%s first=%d up_to=%d recipients=%d delay_s=%d",
        notice.conversation_id,
        notice.first,
        notice.up_to,
        len(notice.recipients),
        delay_s,
    )
