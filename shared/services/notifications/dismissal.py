"""Dismissing notifications: what was read on one device leaves the screens of the others."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import batched
from typing import Final

from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.domain.messages.receipt import Receipt
from shared.domain.people.notification import Dismissal, NotificationJob
from shared.ports import Bus, LiveConversation, NotificationChannel, NotificationClaims, UserStore
from shared.services.notifications.devices import Devices

logger = logging.getLogger(__name__)

_LOOKED_AT: Final = 1_000  # receipts in one pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationDismissal:
    """Dismisses notifications on the devices of users who have read the messages since.

    This is a courtesy: what fails is not tried again, and a notification that stays does no harm.
    """

    claims: NotificationClaims
    bus: Bus
    users: UserStore
    devices: Devices
    channel: NotificationChannel

    async def queue(self, states: Iterable[LiveConversation]) -> None:
        """Queue a dismissal for each user who has read what they were notified of.

        A flush calls this with what it took from live state, so an acknowledgement costs nothing.
        It costs one round trip to live state for a thousand receipts that moved, and more only for
        users who were notified.
        """
        moved = [receipt for state in states for receipt in _moved(state)]
        try:
            for part in batched(moved, _LOOKED_AT, strict=False):
                marks = await self.claims.list_notified(
                    [(receipt.user_id, receipt.conversation_id) for receipt in part]
                )
                for (conversation_id, up_to), users in _readers(part, marks).items():
                    await self._queue(conversation_id, up_to, users)
        except UnavailableError as error:
            logger.info("notifications not cleared: %s", error)

    async def deliver(self, job: NotificationJob) -> int:
        """Dismiss what *job* names on the recipients' devices; return for how many users.

        A user who was notified of a newer message since then is left out. Both notifications share
        one place on the screen, and the newer one would be lost with the older one.

        Raises:
            UnavailableError: The store did not answer.
        """
        marks = await self.claims.list_notified(
            [(user, job.conversation_id) for user in job.recipients]
        )
        due = [user for user, mark in zip(job.recipients, marks, strict=True) if mark <= job.up_to]
        dismissal = Dismissal(job.conversation_id, job.up_to, tag=job.conversation_id)
        for user in due:
            await self._clear(user, dismissal)
        return len(due)

    async def _queue(
        self, conversation_id: ConversationId, up_to: SequenceNumber, users: list[UserId]
    ) -> None:
        await self.bus.send(
            NotificationJob(conversation_id, up_to, up_to, tuple(users), clear=True)
        )
        for user in users:
            await self.claims.release(user, conversation_id, up_to)

    async def _clear(self, user_id: UserId, dismissal: Dismissal) -> None:
        user = await self.users.find(user_id)
        for device in user.subscriptions if user else ():
            try:
                if not await self.channel.clear(device, dismissal):
                    await self.devices.drop(user_id, device.id)
            except UnavailableError as error:
                logger.info("a device of %s not cleared: %s", dismissal.conversation_id, error)
            except Exception:
                logger.exception("a device of %s not cleared", dismissal.conversation_id)


def _moved(state: LiveConversation) -> list[Receipt]:
    return [
        receipt for receipt in state.receipts if receipt.user_id in state.changed and receipt.read
    ]


def _readers(
    moved: Iterable[Receipt], marks: list[SequenceNumber]
) -> dict[tuple[ConversationId, SequenceNumber], list[UserId]]:
    readers: dict[tuple[ConversationId, SequenceNumber], list[UserId]] = defaultdict(list)
    for receipt, mark in zip(moved, marks, strict=True):
        if 0 < mark <= receipt.read:
            readers[receipt.conversation_id, mark].append(receipt.user_id)
    return readers
