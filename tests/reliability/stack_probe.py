"""Looks and reaches past the app, into the stack's store, queue and Redis."""

import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from azure.cosmos.aio import CosmosClient
from azure.servicebus import ServiceBusMessage, ServiceBusSubQueue
from azure.servicebus.aio import ServiceBusClient
from azure.storage.blob.aio import ContainerClient
from redis.asyncio import Redis

from local.blob.command import ACCOUNT
from local.common.keys import load_or_create
from tests.stack import ROOT, Stack

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


async def queued(stack: Stack) -> list[str]:
    """Return the bodies of what waits in the queue."""
    async with _bus(stack) as client, client.get_queue_receiver(_QUEUE) as receiver:
        return [b"".join(one.body).decode() for one in await receiver.peek_messages(100)]


def containers() -> list[str]:
    """Return the names of the store's containers."""
    model = json.loads((ROOT / "infra" / "data-model.json").read_text(encoding="utf-8"))
    return [one["name"] for one in model["containers"]]


async def everything_in_redis(stack: Stack) -> AsyncIterator[str]:
    """Give every key of the stack's Redis with what it holds, as text."""
    async with redis(stack) as client:
        async for key in client.scan_iter(count=1000):
            yield f"{key} {await _value(client, key)}"


async def _value(client: Any, key: str) -> object:
    match await client.type(key):
        case "string":
            return await client.get(key)
        case "hash":
            return await client.hgetall(key)
        case "list":
            return await client.lrange(key, 0, -1)
        case "set":
            return await client.smembers(key)
        case "zset":
            return await client.zrange(key, 0, -1, withscores=True)
        case "none":
            return None  # it has just lapsed
        case other:
            raise AssertionError(f"{key} is a {other}, which is not looked into")


async def blobs(stack: Stack, conversations: Collection[str]) -> AsyncIterator[str]:
    """Give name, metadata and content of every blob whose name begins with a conversation's id."""
    account = {"account_name": ACCOUNT, "account_key": load_or_create(stack.directory).blob}
    url = f"http://127.0.0.1:{stack.ports.blob_server}/{ACCOUNT}"
    async with ContainerClient(url, "attachments", account) as container:
        for conversation in conversations:
            async for blob in container.list_blobs(conversation, include=["metadata"]):
                content = await (await container.download_blob(blob.name)).readall()
                yield f"{blob.name} {blob.metadata} {content.decode(errors='replace')}"


async def site_token(stack: Stack) -> str:
    """Return a token by which the website itself calls."""
    reply = await stack.call("POST", "/dev/site-token")
    assert reply.status == 200, reply.body
    return str(reply.json["token"])


@asynccontextmanager
async def redis(stack: Stack) -> AsyncIterator[Any]:
    """Give a client of the stack's Redis, past the fault proxy."""
    client = Redis(host="127.0.0.1", port=stack.ports.redis_server, decode_responses=True)
    try:
        yield client
    finally:
        await client.aclose()


def remembered(stack: Stack) -> Path:
    """Return a copy of the file in which the stack's Redis keeps its data, to be put back later."""
    copy = Path(tempfile.mkdtemp(dir=stack.directory, prefix="older-"))
    shutil.copytree(_redis_files(stack), copy, dirs_exist_ok=True)
    return copy


async def put_back(stack: Stack, older: Path) -> None:
    """Make the stack's Redis what it was: a new process that serves older data.

    That is what a restored file or a failover to a lagging replica comes to. The process that is
    running stands still meanwhile, so nobody sees older data in it.
    """
    await act(stack, "redis", "pause")
    shutil.rmtree(_redis_files(stack))
    shutil.move(older, _redis_files(stack))
    await act(stack, "redis", "kill")


async def act(stack: Stack, process: str, action: str) -> None:
    """Kill, pause, resume or restart a process of the stack."""
    # The supervisor's own port: the front door may be what is down.
    url = f"http://127.0.0.1:{stack.ports.supervisor}/processes/{process}/{action}"
    async with aiohttp.ClientSession() as session, session.post(url) as reply:
        reply.raise_for_status()


def _redis_files(stack: Stack) -> Path:
    return stack.directory / "redis" / "appendonlydir"


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
