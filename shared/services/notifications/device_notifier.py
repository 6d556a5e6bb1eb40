"""Notifying all devices of one user, once for a message."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import Literal

from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.domain.people.notification import Notification
from shared.domain.people.user import Subscription, User
from shared.ports import NotificationChannel, NotificationClaims
from shared.services.notifications.devices import Devices

logger = logging.getLogger(__name__)

type _Outcome = Literal["taken", "gone", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNotifier:
    """Hands notifications to the push services of users' devices."""

    claims: NotificationClaims
    channel: NotificationChannel
    devices: Devices

    async def notify(self, user: User, notification: Notification, *, by: str) -> bool:
        """Notify the user's devices unless that was done; return False when one has failed.

        The message is claimed for the notification job *by* before the devices are notified, and
        confirmed after that. So of two notification jobs that name one message only one notifies.
        Should this worker die in between, the claim stays unconfirmed, and the same notification
        job takes it again when the queue delivers it again: rather twice than never. A claim whose
        devices failed is released, for the next attempt.
        """
        if not await self._claimed(user.id, notification, by=by):
            return True
        try:
            done = await self._pushed(user, notification)
        except Exception:
            await self._release(user.id, notification)
            raise
        if not done:
            await self._release(user.id, notification)
            return False
        with contextlib.suppress(UnavailableError):
            await self.claims.confirm(user.id, *_place(notification))
        return True

    async def _claimed(self, user_id: UserId, notification: Notification, *, by: str) -> bool:
        try:
            return await self.claims.claim(user_id, *_place(notification), by=by)
        except UnavailableError:
            return True  # rather twice than never

    async def _pushed(self, user: User, notification: Notification) -> bool:
        outcomes = await asyncio.gather(
            *(self._push(user, device, notification) for device in user.subscriptions)
        )
        for device, outcome in zip(user.subscriptions, outcomes, strict=True):
            if outcome == "gone":
                await self.devices.drop(user.id, device.id)
        return "failed" not in outcomes

    async def _push(self, user: User, device: Subscription, notification: Notification) -> _Outcome:
        conversation_id, sequence = _place(notification)
        try:
            if not await self.channel.deliver(device, notification):
                return "gone"
        except UnavailableError as error:
            logger.info("notification of %s put off: %s", conversation_id, error)
            return "failed"
        except Exception:
            logger.exception(
                "notification of %s failed at a device of %s", conversation_id, user.id
            )
            return "failed"
        logger.info(
            "delivered conversation=%s user=%s up_to=%d", conversation_id, user.id, sequence
        )
        return "taken"

    async def _release(self, user_id: UserId, notification: Notification) -> None:
        try:
            await self.claims.release(user_id, *_place(notification))
        except UnavailableError:
            logger.warning("notification mark not taken back")


def _place(notification: Notification) -> tuple[ConversationId, SequenceNumber]:
    return notification.conversation_id, notification.sequence
