"""Opens Cosmos DB for the composition root."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import override

from azure.core.credentials_async import AsyncTokenCredential

from shared.adapters.cosmos.client import CosmosDatabase
from shared.adapters.cosmos.conversations import CosmosConversationStore
from shared.adapters.cosmos.memberships import CosmosMembershipStore
from shared.adapters.cosmos.messages import CosmosMessageStore
from shared.adapters.cosmos.users import CosmosUserStore
from shared.config import Settings
from shared.domain.ids import ConversationId
from shared.ports import ConversationStore, Probe


@dataclass(frozen=True, slots=True)
class CosmosStores:
    """The stores over one client, and what `health` asks."""

    database: CosmosDatabase
    messages: CosmosMessageStore
    conversations: CosmosConversationStore
    memberships: CosmosMembershipStore
    users: CosmosUserStore
    probe: Probe

    async def aclose(self) -> None:
        """End the connections to the database."""
        await self.database.aclose()


def open_cosmos(settings: Settings, credential: Callable[[], AsyncTokenCredential]) -> CosmosStores:
    """Return the stores of the database that *settings* name; nothing is sent yet."""
    database = CosmosDatabase(settings.cosmos, settings.cosmos_database, credential)
    conversations = CosmosConversationStore(database.container("conversations"))
    return CosmosStores(
        database,
        messages=CosmosMessageStore(
            database.container("messages"), bucket_size=settings.bucket_size
        ),
        conversations=conversations,
        memberships=CosmosMembershipStore(database.container("memberships")),
        users=CosmosUserStore(database.container("users")),
        probe=_StoreProbe(conversations),
    )


class _StoreProbe(Probe):
    def __init__(self, store: ConversationStore) -> None:
        self._store = store

    @override
    async def check(self) -> None:
        await self._store.find(ConversationId("d-" + "0" * 32))
