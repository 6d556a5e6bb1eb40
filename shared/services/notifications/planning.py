"""Deciding whom to notify of messages, from the change feed, which misses no message."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared import telemetry
from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId, UserId
from shared.domain.messages.message import Message
from shared.domain.people.notification import NotificationJob, absentees
from shared.ports import Bus, PresenceStore
from shared.services.conversations.reader import ConversationReader

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationPlanning:
    """Queues notifications for the members who have not got a message.

    Args:
        delay_s: How long a member who is online has to acknowledge it before they are notified.
    """

    reader: ConversationReader
    presence: PresenceStore
    bus: Bus
    delay_s: int

    async def decide(self, messages: Iterable[Message]) -> None:
        """Queue a job for each conversation for those away, and a later one for those online.

        Repeats are harmless: a notification job's id follows from its content, and the queue drops
        it.

        Raises:
            UnavailableError: The queue or the store did not answer; decide the batch again.
        """
        batches: dict[ConversationId, list[Message]] = defaultdict(list)
        for message in messages:
            batches[message.conversation_id].append(message)
        waiting = await self._waiting(batches)
        online = await self._online({user for users in waiting.values() for user in users})
        for conversation_id, users in waiting.items():
            await self._queue(batches[conversation_id], users, online)

    async def _waiting(
        self, batches: Mapping[ConversationId, list[Message]]
    ) -> dict[ConversationId, tuple[UserId, ...]]:
        """Return the members who have not got the messages; no conversation with nobody."""
        waiting: dict[ConversationId, tuple[UserId, ...]] = {}
        for conversation, receipts in await self.reader.with_receipts(list(batches)):
            users = absentees(conversation, batches[conversation.id], receipts)
            if users:
                waiting[conversation.id] = users
        return waiting

    async def _online(self, users: set[UserId]) -> set[UserId]:
        try:
            presences = await self.presence.list_presences(sorted(users))
        except UnavailableError:
            return users  # nobody's presence is known: give all the time to acknowledge
        return {presence.user_id for presence in presences if presence.status == "online"}

    async def _queue(
        self, batch: list[Message], waiting: tuple[UserId, ...], online: set[UserId]
    ) -> None:
        newest = max(batch, key=lambda message: message.sequence)
        first = min(message.sequence for message in batch)
        away = tuple(user for user in waiting if user not in online)
        near = tuple(user for user in waiting if user in online)
        with telemetry.within(newest.trace):
            for users, delay_s in ((away, 0), (near, self.delay_s)):
                if users:
                    job = NotificationJob(newest.conversation_id, first, newest.sequence, users)
                    await self.bus.send(job, delay_s=delay_s)
                    _log(job, delay_s)


def _log(job: NotificationJob, delay_s: float) -> None:
    logger.info(
        "queued conversation=%s first=%d up_to=%d recipients=%d delay_s=%d",
        job.conversation_id,
        job.first,
        job.up_to,
        len(job.recipients),
        delay_s,
    )
