"""Both ends of the stores: in memory, and Cosmos DB."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from shared.adapters.cosmos.client import CosmosDatabase
from shared.adapters.cosmos.conversations import CosmosConversationStore
from shared.adapters.cosmos.memberships import CosmosMembershipStore
from shared.adapters.cosmos.messages import CosmosMessageStore
from shared.adapters.cosmos.users import CosmosUserStore
from shared.config import Endpoint
from shared.ports import ConversationStore, MembershipStore, MessageStore, UserStore
from tests.contract.cosmos.harness import Account
from tests.contract.ports.ends import no_credential
from tests.twins.conversations import (
    MemoryConversationStore,
    MemoryMembershipStore,
    MemoryUserStore,
)
from tests.twins.messages import MemoryMessageStore

BUCKET_SIZE = 3


@dataclass(frozen=True, slots=True)
class Stores:
    messages: MessageStore
    conversations: ConversationStore
    memberships: MembershipStore
    users: UserStore


def memory_stores() -> Stores:
    return Stores(
        MemoryMessageStore(bucket_size=BUCKET_SIZE),
        MemoryConversationStore(),
        MemoryMembershipStore(),
        MemoryUserStore(),
    )


@contextlib.asynccontextmanager
async def cosmos_stores(account: Account) -> AsyncIterator[Stores]:
    """Give the real adapters over the database that the stand-in provisions."""
    connection = f"AccountEndpoint={account.endpoint};AccountKey={account.key};"
    database = CosmosDatabase(Endpoint(connection, "", ""), "parley", no_credential)
    async with contextlib.aclosing(database):
        yield Stores(
            CosmosMessageStore(database.container("messages"), bucket_size=BUCKET_SIZE),
            CosmosConversationStore(database.container("conversations")),
            CosmosMembershipStore(database.container("memberships")),
            CosmosUserStore(database.container("users")),
        )
