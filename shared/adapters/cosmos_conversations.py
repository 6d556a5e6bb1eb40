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
from shared.domain.activity import renewed_before
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

_EARLIEST: Final = "SELECT TOP 1 c.activeFrom FROM c ORDER BY c.activeFrom"
_LATEST: Final = "SELECT TOP @limit c.id, c.activeFrom FROM c ORDER BY c.activeFrom DESC"
_ACTIVE: Final = "SELECT c.id FROM c WHERE c.activeFrom > @after"

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
            "stamp": state.stamp,
        }
        operations: list[dict[str, Any]] = [{"op": "set", "path": "/live", "value": live}]
        condition = f"from c where (not is_defined(c.live) or c.live.stamp = {state.base})"
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


class CosmosMembershipStore(MembershipStore):
    """Fulfils `MembershipStore`: one small item per user and conversation.

    `mutedUntil` and `mutes`, the count of its changes, are there once the user muted or unmuted.
    `activeFrom` bounds the conversation's newest activity (`domain/activity.py`); it is the one
    indexed property, and items from before it came do not have it.
    """

    def __init__(self, container: ContainerProxy) -> None:
        self._container = container

    @override
    async def put(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        at: datetime,
        *,
        active_from: datetime | None = None,
    ) -> None:
        item = {"id": conversation_id, "userId": user_id, "joinedAt": to_ms(at)}
        if active_from:
            item["activeFrom"] = to_ms(active_from)
        try:
            await answered(self._container.create_item(item))
        except CosmosHttpResponseError as error:
            if status_of(error) != HTTPStatus.CONFLICT:
                raise

    @override
    async def renew(
        self, user_id: UserId, conversation_id: ConversationId, active_from: datetime
    ) -> None:
        at_ms = to_ms(active_from)
        try:
            await answered(
                self._container.patch_item(
                    conversation_id,
                    user_id,
                    patch_operations=[{"op": "set", "path": "/activeFrom", "value": at_ms}],
                    filter_predicate=(
                        f"from c where not is_defined(c.activeFrom) or c.activeFrom < {at_ms}"
                    ),
                )
            )
        except CosmosHttpResponseError as error:
            if status_of(error) not in {HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED}:
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
        found = await self._query(user_id, "SELECT c.id, c.joinedAt FROM c", {})
        return {ConversationId(one["id"]): from_ms(one["joinedAt"]) for one in found}

    @override
    async def list_newest(
        self, user_id: UserId, *, limit: int
    ) -> list[tuple[ConversationId, datetime]] | None:
        # An item without the property sorts before all others, and is left out of no answer.
        earliest, latest = await asyncio.gather(
            self._query(user_id, _EARLIEST, {}), self._query(user_id, _LATEST, {"@limit": limit})
        )
        if any("activeFrom" not in item for item in earliest):
            return None
        # One that another worker has put since, of a version that knows of no bound, comes last.
        return [(ConversationId(item["id"]), from_ms(item.get("activeFrom", 0))) for item in latest]

    @override
    async def list_active(self, user_id: UserId, *, after: datetime) -> list[ConversationId]:
        found = await self._query(user_id, _ACTIVE, {"@after": to_ms(after)})
        return [ConversationId(item["id"]) for item in found]

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

    async def _query(
        self, user_id: UserId, query: str, parameters: Mapping[str, object]
    ) -> list[dict[str, Any]]:
        async def run() -> list[dict[str, Any]]:
            items = self._container.query_items(
                query,
                parameters=[{"name": name, "value": value} for name, value in parameters.items()],
                partition_key=user_id,
                max_item_count=_LISTED,
            )
            return [item async for item in items]

        return await answered(run())

    async def _said(self, wanted: list[tuple[str, Any]]) -> list[dict[str, Any]]:
        if not wanted:
            return []
        items = await answered(self._container.read_items(wanted))
        return [item for item in items if "mutedUntil" in item]


def _mute(item: dict[str, Any]) -> Mute:
    return Mute(optional_from_ms(item["mutedUntil"]), int(item["mutes"]))


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
    return FlushedState(Sequence(live["head"]), receipts, live["stamp"], at, active_from)
