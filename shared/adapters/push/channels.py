"""The one notification channel of the chat: leads each device to the channel of its platform."""

import logging
from collections.abc import Mapping
from typing import override

from shared.domain.people.notification import Dismissal, Notification
from shared.domain.people.user import Platform, Subscription
from shared.ports import NotificationChannel

logger = logging.getLogger(__name__)


class Channels(NotificationChannel):
    """Fulfils `NotificationChannel` for every platform that is set up.

    A device of another platform, left from when that was set up, is passed over and kept.
    """

    def __init__(self, by_platform: Mapping[Platform, NotificationChannel]) -> None:
        self._by_platform = by_platform

    @override
    async def deliver(self, subscription: Subscription, notification: Notification) -> bool:
        channel = self._channel(subscription)
        return channel is None or await channel.deliver(subscription, notification)

    @override
    async def clear(self, subscription: Subscription, dismissal: Dismissal) -> bool:
        channel = self._channel(subscription)
        return channel is None or await channel.clear(subscription, dismissal)

    def _channel(self, subscription: Subscription) -> NotificationChannel | None:
        channel = self._by_platform.get(subscription.platform)
        if channel is None:
            logger.warning("no channel for %s is set up", subscription.platform)
        return channel
