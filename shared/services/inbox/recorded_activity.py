"""When conversations were last active, as store and live state have it."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain.errors import UnavailableError
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.domain.live import Head
from shared.domain.messages.message import Message
from shared.domain.times import to_ms
from shared.ports import InboxEntry, InboxState, MessageStore
from shared.services.conversations.reader import ConversationReader

_READERS: Final = 8


@dataclass(frozen=True, slots=True)
class Activity:
    """One conversation's activity and head, and whether that is surely the newest."""

    entry: InboxEntry
    head: SequenceNumber
    is_newest: bool


@dataclass(frozen=True, slots=True)
class RecordedActivity:
    """Reads the activity of many conversations at once."""

    reader: ConversationReader
    live: InboxState
    messages: MessageStore

    async def read(
        self, user_id: UserId, ids: Sequence[ConversationId]
    ) -> dict[ConversationId, Activity]:
        """Return the activity of those that exist: one request to the store for each 200.

        Raises:
            UnavailableError: The store did not answer.
        """
        if not ids:
            return {}
        recorded = await self.reader.flushed(ids)
        try:
            summaries = await self.live.summaries(user_id, [one.id for one, _ in recorded])
            heads = [one.head for one in summaries]
        except UnavailableError:
            heads = [Head() for _ in recorded]
        found = {}
        for (conversation, flushed), head in zip(recorded, heads, strict=True):
            times = [at for at in (conversation.created_at, flushed.at, head.at) if at]
            entry = InboxEntry(conversation.id, to_ms(max(times)))
            newest = SequenceNumber(max(flushed.head, head.sequence))
            found[conversation.id] = Activity(entry, newest, head.is_cached)
        return found

    async def risen(self, activities: Iterable[Activity]) -> list[InboxEntry]:
        """Return the entries of conversations that have a message past the head that was read.

        One request to the store for all, and one for each that has one.

        Raises:
            UnavailableError: The store did not answer.
        """
        unconfirmed = [one for one in activities if not one.is_newest]
        following = [
            (one.entry.conversation_id, SequenceNumber(one.head + 1)) for one in unconfirmed
        ]
        slots = asyncio.Semaphore(_READERS)

        async def newest(message: Message) -> InboxEntry:
            async with slots:
                last = await self.messages.find_newest(
                    message.conversation_id, at_least=message.sequence
                )
            return InboxEntry(message.conversation_id, to_ms((last or message).sent_at))

        return list(await asyncio.gather(*map(newest, await self.messages.find_many(following))))
