"""The twin of the message store: one log per conversation, read through a session's replica."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import override

from shared.adapters.system import SystemClock
from shared.domain.ids import ConversationId, SequenceNumber, UserId
from shared.domain.messages.attachment import Attachment
from shared.domain.messages.message import Message, bucket_of, erase
from shared.ports import Clock, MessageStore, Original, SequenceTakenError
from tests.twins.faulty_link import FaultyLink, Replica


class MessageTable:
    """What is stored, whoever reads it: each conversation's messages in the order of writing.

    Args:
        clock: The store's own.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.logs: defaultdict[ConversationId, list[Message]] = defaultdict(list)
        self._clock = clock or SystemClock()
        self._written_s: dict[tuple[ConversationId, SequenceNumber], float] = {}

    def wrote(self, message: Message) -> None:
        """Note when a message was last written."""
        self._written_s[message.conversation_id, message.sequence] = self._clock.elapsed_s()

    def age_s(self, message: Message) -> float:
        written_s = self._written_s[message.conversation_id, message.sequence]
        return self._clock.elapsed_s() - written_s


class MemoryMessageStore(MessageStore):
    """Fulfils `MessageStore` as one session: one worker's client.

    Args:
        table: Shared by the stores of several workers.
    """

    def __init__(
        self, *, bucket_size: int, table: MessageTable | None = None, link: FaultyLink | None = None
    ) -> None:
        self.table = table or MessageTable()
        self.link = link or FaultyLink()
        self.replica = Replica()
        self._bucket_size = bucket_size

    @override
    async def append(self, message: Message) -> None:
        async with self.link.call("append"):
            log = self.table.logs[message.conversation_id]
            if any(self.collide(one, message) for one in log):
                raise SequenceTakenError
            log.append(message)
            self.table.wrote(message)
            self.replica.wrote(message.conversation_id, log)

    @override
    async def find_original(
        self, message: Message, *, bucket: int | None, proof: SequenceNumber | None = None
    ) -> Original:
        async with self.link.call("find_original"):
            seen = [
                one
                for one in self._seen(message.conversation_id)
                if bucket is None or self._bucket(one.sequence) == bucket
            ]
            original = next((one for one in seen if _pair(one) == _pair(message)), None)
            proven = proof is None or any(one.sequence == proof for one in seen)
            return Original(original, proven=proven)

    @override
    async def find(
        self, conversation_id: ConversationId, sequence: SequenceNumber
    ) -> Message | None:
        async with self.link.call("find"):
            seen = self._seen(conversation_id)
            return next((one for one in seen if one.sequence == sequence), None)

    @override
    async def find_many(
        self, places: Iterable[tuple[ConversationId, SequenceNumber]]
    ) -> list[Message]:
        async with self.link.call("find_many"):
            return [
                message
                for conversation_id, sequence in places
                for message in self._seen(conversation_id)
                if message.sequence == sequence
            ]

    @override
    async def age_s(
        self, conversation_id: ConversationId, sequence: SequenceNumber
    ) -> float | None:
        async with self.link.call("age_s"):
            seen = self._seen(conversation_id)
            found = next((one for one in seen if one.sequence == sequence), None)
            return None if found is None else self.table.age_s(found)

    @override
    async def list_range(
        self, conversation_id: ConversationId, first: SequenceNumber, last: SequenceNumber
    ) -> list[Message]:
        async with self.link.call("list_range"):
            seen = [one for one in self._seen(conversation_id) if first <= one.sequence <= last]
            return sorted(seen, key=lambda one: one.sequence)

    @override
    async def set_attachment(
        self, conversation_id: ConversationId, sequence: SequenceNumber, attachment: Attachment
    ) -> None:
        async with self.link.call("set_attachment"):
            log = self.table.logs[conversation_id]
            for place, message in enumerate(log):
                if message.sequence == sequence:
                    changed = tuple(_or(one, attachment) for one in message.attachments)
                    log[place] = replace(message, attachments=changed)
                    self.table.wrote(message)

    @override
    async def find_newest(
        self, conversation_id: ConversationId, *, at_least: SequenceNumber
    ) -> Message | None:
        async with self.link.call("find_newest"):
            bucket = self._bucket(SequenceNumber(max(1, at_least)))
            seen = [
                one for one in self._seen(conversation_id) if self._bucket(one.sequence) >= bucket
            ]
            return max(seen, key=lambda one: one.sequence, default=None)

    @override
    async def list_written_in(self, sender_id: UserId) -> set[ConversationId]:
        async with self.link.call("list_written_in"):
            return {
                conversation_id
                for conversation_id in self.table.logs
                if any(one.sender_id == sender_id for one in self._seen(conversation_id))
            }

    @override
    async def list_sent(
        self,
        conversation_id: ConversationId,
        sender_id: UserId,
        *,
        after: SequenceNumber,
        limit: int,
    ) -> list[Message]:
        async with self.link.call("list_sent"):
            sent = [
                one
                for one in self._seen(conversation_id)
                if one.sender_id == sender_id and one.sequence > after
            ]
            return sorted(sent, key=lambda one: one.sequence)[:limit]

    @override
    async def erase(self, message: Message) -> None:
        async with self.link.call("erase"):
            log = self.table.logs[message.conversation_id]
            for place, one in enumerate(log):
                if one.sequence == message.sequence:
                    log[place] = erase(one)
                    self.table.wrote(one)

    def collide(self, one: Message, other: Message) -> bool:
        if one.sequence == other.sequence:
            return True
        same_bucket = self._bucket(one.sequence) == self._bucket(other.sequence)
        return same_bucket and _pair(one) == _pair(other)

    def _seen(self, conversation_id: ConversationId) -> list[Message]:
        return self.replica.view(conversation_id, self.table.logs[conversation_id])

    def _bucket(self, sequence: SequenceNumber) -> int:
        return bucket_of(sequence, size=self._bucket_size)


def _pair(message: Message) -> tuple[str, str]:
    return message.sender_id, message.client_message_id


def _or(one: Attachment, changed: Attachment) -> Attachment:
    return changed if one.attachment_id == changed.attachment_id else one
