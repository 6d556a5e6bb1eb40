"""Users in Cosmos DB: chat's read model of the website's accounts.

Beside the users lie the owners of push endpoints, one small item for each endpoint. Their ids begin
with `~`, which no user's id has.
"""

import contextlib
import hashlib
from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, override

from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.adapters.cosmos.client import answered, status_of
from shared.adapters.items import user_from_item, user_item
from shared.domain.ids import UserId
from shared.domain.people.user import User
from shared.ports import UserStore, VersionConflictError


class CosmosUserStore(UserStore):
    """Fulfils `UserStore`: one item per user and per endpoint, each guarded by its etag."""

    def __init__(self, container: ContainerProxy) -> None:
        self._container = container

    @override
    async def find(self, user_id: UserId) -> User | None:
        try:
            item = await answered(self._container.read_item(user_id, user_id))
        except CosmosHttpResponseError as error:
            if status_of(error) == HTTPStatus.NOT_FOUND:
                return None
            raise
        return user_from_item(item)

    @override
    async def find_many(self, ids: Iterable[UserId]) -> list[User]:
        wanted: list[tuple[str, Any]] = [(user_id, user_id) for user_id in ids]
        if not wanted:
            return []
        items = await answered(self._container.read_items(wanted))
        return [user_from_item(item) for item in items]

    @override
    async def add(self, user: User) -> User | None:
        try:
            item = await answered(self._container.create_item(user_item(user)))
        except CosmosHttpResponseError as error:
            if status_of(error) == HTTPStatus.CONFLICT:
                return None
            raise
        return replace(user, etag=item["_etag"])

    @override
    async def replace(self, user: User) -> User:
        try:
            item = await answered(
                self._container.replace_item(
                    user.id,
                    user_item(user),
                    etag=user.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            )
        except CosmosHttpResponseError as error:
            raise VersionConflictError from error
        return replace(user, etag=item["_etag"])

    @override
    async def find_endpoint_owner(self, endpoint: str) -> UserId | None:
        item = await self._owner(endpoint)
        return UserId(item["userId"]) if item else None

    @override
    async def claim_endpoint(self, endpoint: str, user_id: UserId, *, after: UserId | None) -> bool:
        item = {"id": _owner_id(endpoint), "userId": user_id}
        try:
            if after is None:
                await answered(self._container.create_item(item))
                return True
            stored = await self._owner(endpoint)
            if stored is None or stored["userId"] != after:
                return False
            await answered(
                self._container.replace_item(
                    item["id"],
                    item,
                    etag=stored["_etag"],
                    match_condition=MatchConditions.IfNotModified,
                )
            )
        except CosmosHttpResponseError:  # another claim or a release came between
            return False
        return True

    @override
    async def release_endpoint(self, endpoint: str, user_id: UserId) -> None:
        stored = await self._owner(endpoint)
        if stored is None or stored["userId"] != user_id:
            return
        # Who else claimed it meanwhile keeps it.
        with contextlib.suppress(CosmosHttpResponseError):
            await answered(
                self._container.delete_item(
                    stored["id"],
                    stored["id"],
                    etag=stored["_etag"],
                    match_condition=MatchConditions.IfNotModified,
                )
            )

    async def _owner(self, endpoint: str) -> dict[str, Any] | None:
        name = _owner_id(endpoint)
        try:
            return dict(await answered(self._container.read_item(name, name)))
        except CosmosHttpResponseError as error:
            if status_of(error) == HTTPStatus.NOT_FOUND:
                return None
            raise


def _owner_id(endpoint: str) -> str:
    return "~" + hashlib.sha256(endpoint.encode()).hexdigest()
