"""Users in Cosmos DB: chat's read model of the website's accounts."""

from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, override

from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import CosmosHttpResponseError

from shared.adapters.cosmos_client import answered, status_of
from shared.adapters.items import user_from_item, user_item
from shared.domain.ids import UserId
from shared.domain.user import User
from shared.ports import UserStore, VersionConflictError


class CosmosUserStore(UserStore):
    """Fulfils `UserStore`: one item per user, guarded by its etag."""

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
        wanted: list[tuple[str, Any]] = [(one, one) for one in ids]
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
