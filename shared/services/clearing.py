"""Taking notifications back: what was read on one device stands on no other's lock screen."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import batched
from typing import Final

from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId, Sequence, UserId
from shared.domain.notification import Clearance, Notice
from shared.domain.receipt import Receipt
from shared.ports import Bus, LiveConversation, NoticeMarks, NotificationChannel, UserStore
from shared.services.devices import Devices

logger = logging.getLogger(__name__)

_LOOKED_AT: Final = 1_000  # receipts in one pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearing:
    """Clears the devices of those who were notified and have read it since.

    A courtesy: what fails is not tried again, and a notification that stays harms nobody.
    """

    marks: NoticeMarks
    bus: Bus
    users: UserStore
    devices: Devices
    channel: NotificationChannel

    async def queue(self, states: Iterable[LiveConversation]) -> None:
        """Queue a notice to clear for those whose receipts moved past what they were notified of.

        Called with what a flush took, so acknowledging costs nothing. One round trip to live state
        for a thousand receipts that moved; more only for users who were notified.
        """
        moved = [receipt for state in states for receipt in _moved(state)]
        try:
            for part in batched(moved, _LOOKED_AT, strict=False):
                marks = await self.marks.list_marks(
                    [(receipt.user_id, receipt.conversation_id) for receipt in part]
                )
                for (conversation_id, up_to), users in _readers(part, marks).items():
                    await self._queue(conversation_id, up_to, users)
        except UnavailableError as error:
            logger.info("notifications not cleared: %s", error)

    async def deliver(self, notice: Notice) -> int:
        """Clear the recipients' devices of what *notice* names; return how many were cleared.

        Raises:
            UnavailableError: The store did not answer.
        """
        asked = [(user, notice.conversation_id) for user in notice.recipients]
        marks = await self.marks.list_marks(asked)
        # Who was notified of more since then must not lose that: both share one place on a screen.
        due = [
            user
            for user, mark in zip(notice.recipients, marks, strict=True)
            if mark <= notice.up_to
        ]
        clearance = Clearance(notice.conversation_id, notice.up_to, tag=notice.conversation_id)
        for user in due:
            await self._clear(user, clearance)
        return len(due)

    async def _queue(
        self, conversation_id: ConversationId, up_to: Sequence, users: list[UserId]
    ) -> None:
        await self.bus.send(Notice(conversation_id, up_to, up_to, tuple(users), clear=True))
        for user in users:
            await self.marks.release(user, conversation_id, up_to)

    async def _clear(self, user_id: UserId, clearance: Clearance) -> None:
        user = await self.users.find(user_id)
        for subscription in user.subscriptions if user else ():
            try:
                if not await self.channel.clear(subscription, clearance):
                    await self.devices.drop(user_id, subscription.id)
            except UnavailableError as error:
                logger.info("a device of %s not cleared: %s", clearance.conversation_id, error)
            except Exception:
                logger.exception("a device of %s not cleared", clearance.conversation_id)


def _moved(state: LiveConversation) -> list[Receipt]:
    return [one for one in state.receipts if one.user_id in state.changed and one.read]


def _readers(
    moved: Iterable[Receipt], marks: list[Sequence]
) -> dict[tuple[ConversationId, Sequence], list[UserId]]:
    found: dict[tuple[ConversationId, Sequence], list[UserId]] = defaultdict(list)
    for receipt, mark in zip(moved, marks, strict=True):
        if 0 < mark <= receipt.read:
            found[receipt.conversation_id, mark].append(receipt.user_id)
    return found
