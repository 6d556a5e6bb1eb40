"""Notifications on their way: the queue, the push services, the marks of notified messages."""

from collections.abc import Sequence
from typing import Protocol

from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.domain.people.notification import Dismissal, Notification
from shared.domain.people.user import Subscription
from shared.ports.jobs import Job


class Bus(Protocol):
    """The queue of jobs."""

    async def send(self, job: Job, *, delay_s: float = 0) -> None:
        """Queue *job*; a repeat of the same job within ten minutes is dropped.

        A job that fails five times is a dead letter.
        """
        ...

    async def replay(self, *, limit: int) -> int:
        """Move up to *limit* dead letters back into the queue; return how many there were."""
        ...


class NotificationChannel(Protocol):
    async def deliver(self, subscription: Subscription, notification: Notification) -> bool:
        """Hand *notification* to the device's push service; False when the device is gone for good.

        Raises:
            UnavailableError: Try again later.
        """
        ...

    async def clear(self, subscription: Subscription, dismissal: Dismissal) -> bool:
        """Take back what the device shows, silently; False when the device is gone for good.

        Does nothing where a push that shows nothing would cost the user the subscription.

        Raises:
            UnavailableError: Try again later.
        """
        ...


class NotificationClaims(Protocol):
    """What was notified already, so that one conversation rings once per collapse window."""

    async def claim(
        self, user_id: UserId, conversation_id: ConversationId, up_to: SequenceNumber, *, by: str
    ) -> bool:
        """Claim *up_to* for the notification job *by*; return whether it is still to be notified.

        A claim that was never confirmed is the same notification job's to take again: its worker
        died.
        """
        ...

    async def confirm(
        self, user_id: UserId, conversation_id: ConversationId, up_to: SequenceNumber
    ) -> None:
        """Mark what was claimed as notified."""
        ...

    async def release(
        self, user_id: UserId, conversation_id: ConversationId, up_to: SequenceNumber
    ) -> None:
        """Take back a claim whose notification could not be delivered, or was cleared."""
        ...

    async def list_notified(
        self, pairs: Sequence[tuple[UserId, ConversationId]]
    ) -> list[SequenceNumber]:
        """Return up to where each user is notified of each conversation; 0 where not, or no more.

        One round trip, and none for nothing.
        """
        ...
