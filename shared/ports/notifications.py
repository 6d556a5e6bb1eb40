"""Notifications on their way: the queue, the push services, and what was notified already."""

from collections.abc import Sequence as Series
from dataclasses import dataclass
from typing import Protocol

from shared.domain.ids import ConversationId, Sequence, UserId
from shared.domain.notification import Clearance, Notice, Notification
from shared.domain.user import Subscription


@dataclass(frozen=True, slots=True)
class SetAside:
    """One document that failed alone, while those around it did not.

    Args:
        function: Who could not handle it.
        document: What the function was given, as JSON.
        reason: The kind of failure and where; never its text, which may hold what users wrote.
    """

    function: str
    document: str
    reason: str


class Bus(Protocol):
    async def send(self, notice: Notice, *, delay_s: float = 0) -> None:
        """Queue *notice*; a repeat of the same one within ten minutes is dropped."""
        ...

    async def set_aside(self, item: SetAside) -> None:
        """Queue what a function could not handle; after five tries it is a dead letter."""
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

    async def clear(self, subscription: Subscription, clearance: Clearance) -> bool:
        """Take back what the device shows, silently; False when the device is gone for good.

        Does nothing where a push that shows nothing would cost the user the subscription.

        Raises:
            UnavailableError: Try again later.
        """
        ...


class NoticeMarks(Protocol):
    """What was notified already, so that one conversation rings once per collapse window."""

    async def claim(
        self, user_id: UserId, conversation_id: ConversationId, up_to: Sequence, *, by: str
    ) -> bool:
        """Return whether *up_to* is still to be notified, and claim it for the notice *by*.

        A claim that was never confirmed is the same notice's to take again: its worker died.
        """
        ...

    async def confirm(
        self, user_id: UserId, conversation_id: ConversationId, up_to: Sequence
    ) -> None:
        """Mark what was claimed as notified."""
        ...

    async def release(
        self, user_id: UserId, conversation_id: ConversationId, up_to: Sequence
    ) -> None:
        """Take back a claim whose notification could not be delivered, or was cleared."""
        ...

    async def list_marks(self, asked: Series[tuple[UserId, ConversationId]]) -> list[Sequence]:
        """Return up to where each user is notified of each conversation; 0 where not, or no more.

        One round trip, and none for nothing.
        """
        ...
