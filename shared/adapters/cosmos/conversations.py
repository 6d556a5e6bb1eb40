"""Conversations in Cosmos DB."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from itertools import batched
from typing import Any, Final, override

from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.adapters.cosmos.client import answered, status_of
from shared.adapters.items import (
    conversation_from_item,
    conversation_item,
    receipt_from_item,
    receipt_item,
)
from shared.domain.conversations.activity import renewed_before
from shared.domain.conversations.conversation import Conversation
from shared.domain.ids import NO_SEQUENCE, ConversationId, SequenceNumber
from shared.domain.times import optional_from_ms, to_ms
from shared.ports import (
    ConversationStore,
    FlushedState,
    LiveConversation,
    VersionConflictError,
)

_AT_ONCE: Final = 200  # conversations in one request: about 200 KB
_READERS: Final = 4
# What a change of a conversation rewrites; `live`, the flushed state, is a flush's own.
_CHANGING = ("title", "members", "version", "blockedBy", "left", "leftByChoice")


class CosmosConversationStore(ConversationStore):
    """Fulfils `ConversationStore`: one item per conversation, its flushed state in `live`."""

    def __init__(self, container: ContainerProxy) -> None:
        self._container = container

    @override
    async def find(self, conversation_id: ConversationId) -> Conversation | None:
        item = await self._read(conversation_id)
        return conversation_from_item(item) if item else None

    @override
    async def find_with_state(
        self, conversation_id: ConversationId
    ) -> tuple[Conversation, FlushedState] | None:
        item = await self._read(conversation_id)
        return (conversation_from_item(item), _flushed(item)) if item else None

    @override
    async def find_many(self, ids: Iterable[ConversationId]) -> list[Conversation]:
        return [conversation for conversation, _ in await self.find_many_with_state(ids)]

    @override
    async def find_many_with_state(
        self, ids: Iterable[ConversationId]
    ) -> list[tuple[Conversation, FlushedState]]:
        slots = asyncio.Semaphore(_READERS)

        async def read(some: tuple[ConversationId, ...]) -> list[dict[str, Any]]:
            async with slots:  # each with a time limit of its own
                return list(
                    await answered(self._container.read_items([(one, one) for one in some]))
                )

        portions = await asyncio.gather(*map(read, batched(ids, _AT_ONCE, strict=False)))
        items = [item for portion in portions for item in portion]
        return [(conversation_from_item(item), _flushed(item)) for item in items]

    @override
    async def list_ids(self, after: str, *, limit: int) -> tuple[list[ConversationId], str]:
        # The change feed pages through all partitions and can be taken up again at any time.
        ended = after
        begin: dict[str, Any] = {"continuation": after} if after else {"start_time": "Beginning"}

        def keep(headers: Mapping[str, str], _: object) -> None:
            nonlocal ended
            ended = str(headers["etag"])

        async def run() -> list[ConversationId]:
            pages = self._container.query_items_change_feed(
                **begin, max_item_count=limit, response_hook=keep
            ).by_page()
            async for page in pages:
                return [ConversationId(item["id"]) async for item in page]
            return []

        return await answered(run()), ended

    @override
    async def add(self, conversation: Conversation) -> Conversation | None:
        try:
            await answered(self._container.create_item(_new_item(conversation)))
        except CosmosHttpResponseError as error:
            if status_of(error) == HTTPStatus.CONFLICT:
                return None
            raise
        return conversation

    @override
    async def replace(self, conversation: Conversation) -> Conversation:
        item = conversation_item(conversation)
        operations = [{"op": "set", "path": f"/{name}", "value": item[name]} for name in _CHANGING]
        condition = f"from c where c.version = {conversation.version - 1}"
        await self._patch(conversation.id, operations, condition)
        return conversation

    @override
    async def save_state(
        self, state: LiveConversation, *, active_from: datetime | None = None
    ) -> None:
        live = {
            "head": state.head.sequence,
            "at": to_ms(state.head.at) if state.head.at else None,
            "receipts": {receipt.user_id: receipt_item(receipt) for receipt in state.receipts},
            "stamp": state.flush_id,
        }
        operations: list[dict[str, Any]] = [{"op": "set", "path": "/live", "value": live}]
        condition = (
            f"from c where (not is_defined(c.live) or c.live.stamp = {state.previous_flush_id})"
        )
        if active_from:
            operations.append({"op": "set", "path": "/activeFrom", "value": to_ms(active_from)})
        elif state.head.at:
            # An item without the property is refused too: the flush renews it and sets it.
            condition += f" and c.activeFrom > {to_ms(renewed_before(state.head.at))}"
        await self._patch(state.conversation_id, operations, condition)

    async def _patch(
        self, conversation_id: ConversationId, operations: list[dict[str, Any]], condition: str
    ) -> None:
        try:
            await answered(
                self._container.patch_item(
                    conversation_id,
                    conversation_id,
                    patch_operations=operations,
                    filter_predicate=condition,
                )
            )
        except CosmosHttpResponseError as error:
            raise VersionConflictError from error

    async def _read(self, conversation_id: ConversationId) -> dict[str, Any] | None:
        try:
            return await answered(self._container.read_item(conversation_id, conversation_id))
        except CosmosHttpResponseError as error:
            if status_of(error) == HTTPStatus.NOT_FOUND:
                return None
            raise


def _new_item(conversation: Conversation) -> dict[str, Any]:
    return {**conversation_item(conversation), "activeFrom": to_ms(conversation.created_at)}


def _flushed(item: dict[str, Any]) -> FlushedState:
    live, active_from = item.get("live"), optional_from_ms(item.get("activeFrom"))
    if not live:
        return FlushedState(NO_SEQUENCE, (), active_from=active_from)
    conversation_id = ConversationId(item["id"])
    receipts = tuple(
        receipt_from_item(conversation_id, user, receipt)
        for user, receipt in live["receipts"].items()
    )
    at = optional_from_ms(live.get("at"))
    return FlushedState(SequenceNumber(live["head"]), receipts, live["stamp"], at, active_from)
