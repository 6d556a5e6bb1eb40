"""The fault proxy before a real Azurite, driven by azure-storage-blob."""

import secrets
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.blob import BlobSasPermissions, generate_blob_sas
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from local.blob.command import ACCOUNT
from local.blob.provision import Account, provision
from local.common.model import load_model
from tests.leaks import SDK_LEAKS
from tests.proxy_harness import Faults, Services, faults_of, running_services

pytestmark = [pytest.mark.stack, *SDK_LEAKS]

ORIGIN = "http://127.0.0.1:7071"


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with running_services(tmp_path_factory.mktemp("proxy")) as started:
        yield started


@pytest.fixture
async def faults(services: Services) -> AsyncIterator[Faults]:
    async with faults_of(services) as armed:
        yield armed


@pytest.fixture
async def container(services: Services) -> AsyncIterator[ContainerClient]:
    account = Account(services.ports.blob_server, services.blob_key)
    async with aiohttp.ClientSession() as session:
        await provision(session, account, load_model().blob_containers, [ORIGIN])
    url = f"http://127.0.0.1:{services.ports.blob}/{ACCOUNT}"
    credential = {"account_name": ACCOUNT, "account_key": services.blob_key}
    async with BlobServiceClient(url, credential=credential, retry_total=0) as opened:
        yield opened.get_container_client("attachments")


def signed_url(services: Services, name: str, *, write: bool) -> str:
    token = generate_blob_sas(
        ACCOUNT,
        "attachments",
        name,
        account_key=services.blob_key,
        permission=BlobSasPermissions(create=write, write=write, read=not write),
        expiry=datetime.now(UTC) + timedelta(minutes=5),
    )
    port = services.ports.blob
    return f"http://127.0.0.1:{port}/{ACCOUNT}/attachments/{name}?{token}"


async def test_making_the_containers_twice_changes_nothing(
    services: Services, container: ContainerClient
) -> None:
    await container.upload_blob("kept", b"1", overwrite=True)
    account = Account(services.ports.blob_server, services.blob_key)

    async with aiohttp.ClientSession() as session:
        await provision(session, account, load_model().blob_containers, [ORIGIN])

    assert await (await container.download_blob("kept")).readall() == b"1"


async def test_a_large_blob_passes_both_ways(container: ContainerClient) -> None:
    content = secrets.token_bytes(1_000_000)

    await container.upload_blob("large", content, overwrite=True)

    assert await (await container.download_blob("large")).readall() == content


async def test_a_signature_holds_through_the_proxy(services: Services) -> None:
    headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "image/png"}
    async with aiohttp.ClientSession() as session:
        put = await session.put(
            signed_url(services, "a b✓.png", write=True), data=b"png", headers=headers
        )
        got = await session.get(signed_url(services, "a b✓.png", write=False))
        body = await got.read()

    assert (put.status, got.status, body) == (201, 200, b"png")
    assert got.content_type == "image/png"


async def test_a_signature_for_reading_does_not_write(services: Services) -> None:
    async with aiohttp.ClientSession() as session:
        put = await session.put(
            signed_url(services, "x", write=False),
            data=b"1",
            headers={"x-ms-blob-type": "BlockBlob"},
        )

    assert put.status == 403


@pytest.mark.parametrize(("origin", "expected"), [(ORIGIN, ORIGIN), ("https://evil.example", None)])
async def test_only_the_sites_own_page_may_upload(
    services: Services, container: ContainerClient, origin: str, expected: str | None
) -> None:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "x-ms-blob-type,content-type",
    }
    url = f"http://127.0.0.1:{services.ports.blob}/{ACCOUNT}/attachments/x"

    async with aiohttp.ClientSession() as session, session.options(url, headers=headers) as reply:
        assert reply.headers.get("Access-Control-Allow-Origin") == expected


async def test_an_error_is_one_of_the_storage_services(
    container: ContainerClient, faults: Faults
) -> None:
    await faults.arm("blob", kind="error", count=1)

    with pytest.raises(HttpResponseError) as refused:
        await container.upload_blob("refused", b"1")

    assert refused.value.status_code == 503
    assert "ServerBusy" in str(refused.value)
    assert not await container.get_blob_client("refused").exists()


async def test_a_delay_is_waited_for(container: ContainerClient, faults: Faults) -> None:
    await faults.arm("blob", kind="delay", ms=300, count=1)
    begun = time.monotonic()

    await container.upload_blob("late", b"1", overwrite=True)

    assert time.monotonic() - begun >= 0.3


async def test_a_drop_breaks_the_connection(container: ContainerClient, faults: Faults) -> None:
    await faults.arm("blob", kind="drop")

    with pytest.raises(AzureError) as broken:
        await container.upload_blob("dropped", b"1")
    await faults.clear()

    assert not isinstance(broken.value, HttpResponseError)
    assert not await container.get_blob_client("dropped").exists()
