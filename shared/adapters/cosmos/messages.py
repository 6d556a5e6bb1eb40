"""History in Cosmos DB: the `messages` container, partitioned by conversation and bucket."""

from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, override

from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.adapters.cosmos.client import answered, status_of
from shared.adapters.items import (
    attachment_item,
    message_from_item,
    message_item,
    sequence_id,
)
from shared.domain.ids import NO_SEQUENCE, ConversationId, SequenceNumber, UserId
from shared.domain.messages.attachment import Attachment
from shared.domain.messages.message import Message, bucket_of, erase
from shared.ports import MessageStore, Original, SequenceTakenError

_ORIGINAL = "SELECT * FROM c WHERE c.senderId = @sender AND c.clientMessageId = @client"
_RANGE = "SELECT * FROM c WHERE c.sequence >= @first AND c.sequence <= @last ORDER BY c.sequence"
_WRITTEN_IN = "SELECT DISTINCT VALUE c.conversationId FROM c WHERE c.senderId = @sender"
_SENT = (
    "SELECT TOP @limit * FROM c WHERE c.senderId = @sender AND c.sequence > @after"
    " ORDER BY c.sequence"
)
_NEWEST = "SELECT TOP 1 * FROM c ORDER BY c.sequence DESC"


class CosmosMessageStore(MessageStore):
    """Fulfils `MessageStore`. Reads of one session may lag another's writes."""

    def __init__(self, container: ContainerProxy, *, bucket_size: int) -> None:
        self._container = container
        self._bucket_size = bucket_size

    @override
    async def append(self, message: Message) -> None:
        item = message_item(message, bucket=self._bucket(message.sequence))
        if message.trace:
            item["trace"] = message.trace
        try:
            await answered(self._container.create_item(item))
        except CosmosHttpResponseError as error:
            if status_of(error) == HTTPStatus.CONFLICT:
                raise SequenceTakenError from error
            raise

    @override
    async def find_original(
        self, message: Message, *, bucket: int | None, proof: SequenceNumber | None = None
    ) -> Original:
        query = _ORIGINAL if proof is None else f"{_ORIGINAL} OR c.sequence = @proof"
        parameters = {**_pair(message), **({} if proof is None else {"@proof": proof})}
        key = [message.conversation_id, *([] if bucket is None else [bucket])]
        candidates = [message_from_item(item) for item in await self._query(query, parameters, key)]
        original = next((candidate for candidate in candidates if _same(candidate, message)), None)
        proven = proof is None or any(candidate.sequence == proof for candidate in candidates)
        return Original(original, proven=proven)

    @override
    async def find(
        self, conversation_id: ConversationId, sequence: SequenceNumber
    ) -> Message | None:
        key: list[str | int] = [conversation_id, self._bucket(sequence)]
        try:
            item = await answered(self._container.read_item(sequence_id(sequence), key))
        except CosmosHttpResponseError as error:
            if status_of(error) == HTTPStatus.NOT_FOUND:
                return None
            raise
        return message_from_item(item)

    @override
    async def find_many(
        self, places: Iterable[tuple[ConversationId, SequenceNumber]]
    ) -> list[Message]:
        wanted: list[Any] = [
            (sequence_id(sequence), [conversation_id, self._bucket(sequence)])
            for conversation_id, sequence in places
        ]
        if not wanted:
            return []
        items = await answered(self._container.read_items(wanted))
        return [message_from_item(item) for item in items]

    @override
    async def age_s(
        self, conversation_id: ConversationId, sequence: SequenceNumber
    ) -> float | None:
        answered_at = ""

        def keep(headers: Mapping[str, str], _: object) -> None:
            nonlocal answered_at
            answered_at = str(headers.get("Date", ""))

        key: list[str | int] = [conversation_id, self._bucket(sequence)]
        reading = self._container.read_item(sequence_id(sequence), key, response_hook=keep)
        try:
            item = await answered(reading)
        except CosmosHttpResponseError as error:
            if status_of(error) == HTTPStatus.NOT_FOUND:
                return None
            raise
        return seconds_between(item["_ts"], answered_at)

    @override
    async def list_range(
        self, conversation_id: ConversationId, first: SequenceNumber, last: SequenceNumber
    ) -> list[Message]:
        if first > last:
            return []
        messages: list[Message] = []
        parameters = {"@first": first, "@last": last}
        for bucket in range(self._bucket(first), self._bucket(last) + 1):
            items = await self._query(_RANGE, parameters, [conversation_id, bucket])
            messages += [message_from_item(item) for item in items]
            full = (bucket + 1) * self._bucket_size
            if not messages or messages[-1].sequence < min(full, last):
                break  # sequences have no gaps: what lies beyond is not there yet
        return messages

    @override
    async def set_attachment(
        self, conversation_id: ConversationId, sequence: SequenceNumber, attachment: Attachment
    ) -> None:
        message = await self.find(conversation_id, sequence)
        if message is None:
            return
        changed = [
            attachment if former.attachment_id == attachment.attachment_id else former
            for former in message.attachments
        ]
        value = [attachment_item(former) for former in changed]
        await answered(
            self._container.patch_item(
                sequence_id(sequence),
                [conversation_id, self._bucket(sequence)],
                patch_operations=[{"op": "set", "path": "/attachments", "value": value}],
            )
        )

    @override
    async def find_newest(
        self, conversation_id: ConversationId, *, at_least: SequenceNumber
    ) -> Message | None:
        newest: Message | None = None
        bucket = self._bucket(at_least)
        while True:
            items = await self._query(_NEWEST, {}, [conversation_id, bucket])
            if not items:
                return newest
            newest = message_from_item(items[0])
            if newest.sequence < (bucket + 1) * self._bucket_size:
                return newest
            bucket += 1

    @override
    async def list_written_in(self, sender_id: UserId) -> set[ConversationId]:
        ids = await self._query(_WRITTEN_IN, {"@sender": sender_id}, None)
        return {ConversationId(conversation_id) for conversation_id in ids}

    @override
    async def list_sent(
        self,
        conversation_id: ConversationId,
        sender_id: UserId,
        *,
        after: SequenceNumber,
        limit: int,
    ) -> list[Message]:
        parameters = {"@sender": sender_id, "@after": after, "@limit": limit}
        return [
            message_from_item(item)
            for item in await self._query(_SENT, parameters, [conversation_id])
        ]

    @override
    async def erase(self, message: Message) -> None:
        item = message_item(erase(message), bucket=self._bucket(message.sequence))
        await answered(
            self._container.patch_item(
                item["id"],
                [item["conversationId"], item["bucket"]],
                patch_operations=[
                    {"op": "set", "path": f"/{name}", "value": item[name]}
                    for name in ("body", "attachments")
                ],
            )
        )

    def _bucket(self, sequence: SequenceNumber) -> int:
        return bucket_of(SequenceNumber(max(sequence, NO_SEQUENCE + 1)), size=self._bucket_size)

    async def _query(
        self, query: str, parameters: Mapping[str, object], key: list[Any] | None
    ) -> list[Any]:
        async def run() -> list[Any]:
            pages = self._container.query_items(
                query,
                parameters=[{"name": name, "value": value} for name, value in parameters.items()],
                partition_key=key,
            )
            return [item async for item in pages]

        return await answered(run())


def seconds_between(written_s: int, answered_at: str) -> float:
    """Return how many seconds lie between an item's `_ts` and its answer's `Date`, at least.

    Both are whole seconds of the service's clock, rounded down. Without a `Date` that can be read,
    an item counts as just written.
    """
    try:
        read_s = parsedate_to_datetime(answered_at).timestamp()
    except ValueError:
        return 0.0
    return max(0.0, read_s - written_s - 1)


def _pair(message: Message) -> dict[str, object]:
    return {"@sender": message.sender_id, "@client": message.client_message_id}


def _same(message: Message, other: Message) -> bool:
    return (message.sender_id, message.client_message_id) == (
        other.sender_id,
        other.client_message_id,
    )
