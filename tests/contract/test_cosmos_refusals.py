"""What the Cosmos DB stand-in refuses, and how it says so."""

import asyncio
import base64
import hmac
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from urllib.parse import quote

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient, DatabaseProxy
from azure.cosmos.exceptions import CosmosHttpResponseError

from tests.contract.cosmos.harness import REAL, Account, new_container, rows, running_account

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(bool(REAL), reason="a real account has no such faults"),
]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running_account(tmp_path_factory.mktemp("cosmos")) as running:
        yield running


@pytest.fixture
async def database(account: Account) -> AsyncIterator[DatabaseProxy]:
    async with account.databases(retry_total=0) as database:
        yield database


@pytest.fixture
async def container(database: DatabaseProxy) -> ContainerProxy:
    container = await new_container(database)
    await container.create_item({"id": "warm", "pk": "A"})
    return container


async def test_another_key_is_a_401(account: Account) -> None:
    other = base64.b64encode(secrets.token_bytes(64)).decode()

    client = CosmosClient(account.endpoint, other)
    try:
        with pytest.raises(CosmosHttpResponseError) as refused:
            await client.create_database("x")
    finally:
        await client.close()

    assert refused.value.status_code == 401


@pytest.mark.parametrize(
    "authorization", [None, "", "type%3Daad%26ver%3D1.0%26sig%3Dx", "type%3Dmaster", "\xe9"]
)
async def test_a_call_that_is_not_signed_is_a_401(
    account: Account, authorization: str | None
) -> None:
    request = urllib.request.Request(f"{account.endpoint}/dbs")
    if authorization is not None:
        request.add_header("Authorization", authorization)

    with pytest.raises(urllib.error.HTTPError) as refused:
        await asyncio.to_thread(urllib.request.urlopen, request, timeout=5)

    assert refused.value.code == 401
    assert json.loads(refused.value.read())["code"] == "Unauthorized"
    refused.value.close()


async def test_a_session_ahead_of_the_store_is_told_so(container: ContainerProxy) -> None:
    with pytest.raises(CosmosHttpResponseError) as refused:
        await container.read_item("warm", "A", session_token="0:-1#999999")

    assert (refused.value.status_code, refused.value.sub_status) == (404, 1002)


async def test_what_is_not_there_is_refused_by_name(
    account: Account, database: DatabaseProxy, container: ContainerProxy
) -> None:
    with pytest.raises(CosmosHttpResponseError, match="Stored procedures"):
        await container.scripts.create_stored_procedure({"id": "p", "body": "function(){}"})
    with pytest.raises(CosmosHttpResponseError, match=r"[Uu]ser-defined"):
        await rows(container, "SELECT VALUE udf.f(c) FROM c", "A")
    with pytest.raises(CosmosHttpResponseError, match="serverless"):
        await container.get_throughput()
    with pytest.raises(CosmosHttpResponseError, match="serverless"):
        await database.create_container("t", PartitionKey(path="/pk"), offer_throughput=400)
    with pytest.raises(CosmosHttpResponseError, match="trigger"):
        await container.create_item({"id": "1", "pk": "A"}, pre_trigger_include="t")
    with pytest.raises(CosmosHttpResponseError, match="version 2"):
        await database.create_container("v1", PartitionKey(path="/pk", version=1))
    computed = [{"name": "lower", "query": "SELECT VALUE LOWER(c.name) FROM c"}]
    with pytest.raises(CosmosHttpResponseError, match="computedProperties"):
        await database.create_container("c", PartitionKey("/pk"), computed_properties=computed)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b'{"id": 1, "pk": "A"}',
        b'{"id": "", "pk": "A"}',
        b'{"id": "a/b", "pk": "A"}',
        b'{"id": "1", "pk": "B"}',
        b'{"id": "1", "pk": {}}',
        b'{"id": "1", "pk": "A", "n": NaN}',
        b'{"id": "1", "pk": "A", "n": 1e999}',
        b'{"id": "1", "pk": "A", "s": "\\ud800"}',
        b'{"id": "1", "pk": "A", "s": "\xff"}',
        b'{"id": "1", "pk": "A", "ttl": 0}',
        b'{"id": "1", "pk": "A", "deep": ' + b"[" * 200 + b"]" * 200 + b"}",
        b"[" * 100_000,
    ],
)
async def test_a_body_that_is_no_item_is_a_400(
    account: Account, container: ContainerProxy, body: bytes
) -> None:
    status = await signed_post(account, container, body)

    assert status == 400
    assert await rows(container, "SELECT VALUE c.id FROM c", "A") == ["warm"]


async def signed_post(account: Account, container: ContainerProxy, body: bytes) -> int:
    link = f"dbs/{account.database}/colls/{container.id}"
    date = "tue, 24 nov 2026 00:00:00 gmt"
    signed = f"post\ndocs\n{link}\n{date}\n\n".encode()
    signature = hmac.digest(base64.b64decode(account.key), signed, "sha256")
    token = f"type=master&ver=1.0&sig={base64.b64encode(signature).decode()}"
    request = urllib.request.Request(
        f"{account.endpoint}/{link}/docs",
        data=body,
        headers={
            "Authorization": quote(token, safe=""),
            "x-ms-date": date,
            "x-ms-documentdb-partitionkey": '["A"]',
        },
    )
    try:
        with await asyncio.to_thread(urllib.request.urlopen, request, timeout=5) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
