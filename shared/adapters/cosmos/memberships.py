"""Memberships in Cosmos DB."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, override

from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.adapters.cosmos.client import answered, status_of
from shared.domain.conversations.mute import Mute
from shared.domain.ids import ConversationId, UserId
from shared.domain.times import from_ms, optional_from_ms, to_ms
from shared.ports import MembershipStore

_LISTED: Final = 1_000  # memberships in one page

_EARLIEST: Final = "SELECT TOP 1 c.activeFrom FROM c ORDER BY c.activeFrom"
_LATEST: Final = "SELECT TOP @limit c.id, c.activeFrom FROM c ORDER BY c.activeFrom DESC"
_ACTIVE: Final = "SELECT c.id FROM c WHERE c.activeFrom > @after"


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
        items = await self._query(user_id, "SELECT c.id, c.joinedAt FROM c", {})
        return {ConversationId(item["id"]): from_ms(item["joinedAt"]) for item in items}

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
        items = await self._query(user_id, _ACTIVE, {"@after": to_ms(after)})
        return [ConversationId(item["id"]) for item in items]

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
        items = await self._with_mutes([(conversation_id, user) for user in users])
        return {UserId(item["userId"]): _mute(item) for item in items}

    @override
    async def mutes_of(
        self, user_id: UserId, ids: Iterable[ConversationId]
    ) -> dict[ConversationId, Mute]:
        items = await self._with_mutes([(conversation_id, user_id) for conversation_id in ids])
        return {ConversationId(item["id"]): _mute(item) for item in items}

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

    async def _with_mutes(self, wanted: list[tuple[str, Any]]) -> list[dict[str, Any]]:
        if not wanted:
            return []
        items = await answered(self._container.read_items(wanted))
        return [item for item in items if "mutedUntil" in item]


def _mute(item: dict[str, Any]) -> Mute:
    return Mute(optional_from_ms(item["mutedUntil"]), int(item["mutes"]))
