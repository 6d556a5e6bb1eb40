"""Looks and reaches past the app, into the stack's store, queue and Redis."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from azure.cosmos.aio import CosmosClient
from azure.servicebus import ServiceBusMessage, ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient
from redis.asyncio import Redis

from local.common.keys import load_or_create
from tests.stack import Stack

_QUEUE = "notifications"


@asynccontextmanager
async def container(stack: Stack, name: str) -> AsyncIterator[Any]:
    """Give a container of the store."""
    key = load_or_create(stack.directory).cosmos
    async with CosmosClient(f"http://127.0.0.1:{stack.ports.cosmos}/", key) as client:
        yield client.get_database_client("parley").get_container_client(name)


async def put_item(stack: Stack, name: str, item: dict[str, Any]) -> None:
    async with container(stack, name) as one:
        await one.upsert_item(item)


async def conversation_item(stack: Stack, conversation: str) -> dict[str, Any]:
    async with container(stack, "conversations") as one:
        item: dict[str, Any] = await one.read_item(conversation, conversation)
        return item


async def put_on_queue(stack: Stack, body: str) -> None:
    async with _bus(stack) as client, client.get_queue_sender(_QUEUE) as sender:
        await sender.send_messages(ServiceBusMessage(body))


async def dead_letters(stack: Stack) -> list[dict[str, Any]]:
    """Return the dead letters: their application properties, their body, the broker's reason."""
    async with (
        _bus(stack) as client,
        client.get_queue_receiver(_QUEUE, sub_queue=ServiceBusSubQueue.DEAD_LETTER) as receiver,
    ):
        return [
            {
                **{str(_text(k)): _text(v) for k, v in (one.application_properties or {}).items()},
                "body": b"".join(one.body).decode(),
                "why": one.dead_letter_reason,
            }
            for one in await receiver.peek_messages(100)
        ]


@asynccontextmanager
async def redis(stack: Stack) -> AsyncIterator[Any]:
    """Give a client of the stack's Redis, past the fault proxy."""
    client = Redis(host="127.0.0.1", port=stack.ports.redis_server, decode_responses=True)
    try:
        yield client
    finally:
        await client.aclose()


@asynccontextmanager
async def _bus(stack: Stack) -> AsyncIterator[ServiceBusClient]:
    key = load_or_create(stack.directory).servicebus
    connection = (
        f"Endpoint=sb://127.0.0.1:{stack.ports.servicebus};UseDevelopmentEmulator=true;"
        f"SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey={key};"
    )
    async with ServiceBusClient.from_connection_string(connection) as client:
        yield client


def _text(value: object) -> object:
    return value.decode() if isinstance(value, bytes) else value
