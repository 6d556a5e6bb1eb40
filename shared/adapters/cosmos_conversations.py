"""Conversations and memberships in Cosmos DB."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from itertools import batched
from typing import Any, Final, override

from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.adapters.cosmos_client import answered, status_of
from shared.adapters.items import (
    conversation_from_item,
    conversation_item,
    receipt_from_item,
    receipt_item,
)
from shared.domain.conversation import Conversation
from shared.domain.ids import NO_SEQUENCE, ConversationId, Sequence, UserId
from shared.domain.mute import Mute
from shared.domain.times import from_ms, optional_from_ms, to_ms
from shared.ports import (
    ConversationStore,
    FlushedState,
    LiveConversation,
    MembershipStore,
    VersionConflictError,
)

_AT_ONCE: Final = 200  # conversations in one request: some 200 KB
_READERS: Final = 4
_LISTED: Final = 1_000  # memberships in one page

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
            await answered(self._container.create_item(conversation_item(conversation)))
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
    async def save_state(self, state: LiveConversation) -> None:
        live = {
            "head": state.head.sequence,
            "at": to_ms(state.head.at) if state.head.at else None,
            "receipts": {receipt.user_id: receipt_item(receipt) for receipt in state.receipts},
            "stamp": state.stamp,
        }
        condition = f"from c where not is_defined(c.live) or c.live.stamp = {state.base}"
        operations = [{"op": "set", "path": "/live", "value": live}]
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


class CosmosMembershipStore(MembershipStore):
    """Fulfils `MembershipStore`: one small item per user and conversation.

    `mutedUntil` and `mutes`, the count of its changes, are there once the user muted or unmuted.
    """

    def __init__(self, container: ContainerProxy) -> None:
        self._container = container

    @override
    async def put(self, user_id: UserId, conversation_id: ConversationId, at: datetime) -> None:
        item = {"id": conversation_id, "userId": user_id, "joinedAt": to_ms(at)}
        try:
            await answered(self._container.create_item(item))
        except CosmosHttpResponseError as error:
            if status_of(error) != HTTPStatus.CONFLICT:
                raise

    @override
    async def remove(self, user_id: UserId, conversation_id: ConversationId) -> None:
        try:
            await answered(self._container.delete_item(conversation_id, user_id))
        except CosmosHttpResponseError as error:
            if status_of(error) != HTTPStatus.NOT_FOUND:
                raise

    @override
    async def list_all(self, user_id: UserId) -> dict[ConversationId, datetime]:
        async def run() -> dict[ConversationId, datetime]:
            pages = self._container.query_items(
                "SELECT c.id, c.joinedAt FROM c", partition_key=user_id, max_item_count=_LISTED
            )
            return {ConversationId(one["id"]): from_ms(one["joinedAt"]) async for one in pages}

        return await answered(run())

    @override
    async def mute(
        self, user_id: UserId, conversation_id: ConversationId, until: datetime | None
    ) -> Mute | None:
        operations: list[dict[str, Any]] = [
            {"op": "set", "path": "/mutedUntil", "value": to_ms(until) if until else None},
            {"op": "incr", "path": "/mutes", "value": 1},
        ]
        try:
            item = await answered(
                self._container.patch_item(conversation_id, user_id, patch_operations=operations)
            )
        except CosmosHttpResponseError as error:
            if status_of(error) == HTTPStatus.NOT_FOUND:
                return None
            raise
        return _mute(item)

    @override
    async def mutes(
        self, conversation_id: ConversationId, users: Iterable[UserId]
    ) -> dict[UserId, Mute]:
        found = await self._said([(conversation_id, user) for user in users])
        return {UserId(item["userId"]): _mute(item) for item in found}

    @override
    async def mutes_of(
        self, user_id: UserId, ids: Iterable[ConversationId]
    ) -> dict[ConversationId, Mute]:
        found = await self._said([(one, user_id) for one in ids])
        return {ConversationId(item["id"]): _mute(item) for item in found}

    async def _said(self, wanted: list[tuple[str, Any]]) -> list[dict[str, Any]]:
        if not wanted:
            return []
        items = await answered(self._container.read_items(wanted))
        return [item for item in items if "mutedUntil" in item]


def _mute(item: dict[str, Any]) -> Mute:
    return Mute(optional_from_ms(item["mutedUntil"]), int(item["mutes"]))


def _flushed(item: dict[str, Any]) -> FlushedState:
    live = item.get("live")
    if not live:
        return FlushedState(NO_SEQUENCE, ())
    conversation_id = ConversationId(item["id"])
    receipts = tuple(
        receipt_from_item(conversation_id, user, receipt)
        for user, receipt in live["receipts"].items()
    )
    at = optional_from_ms(live.get("at"))
    return FlushedState(Sequence(live["head"]), receipts, live["stamp"], at)
