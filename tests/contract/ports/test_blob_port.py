"""What file storage promises, whoever keeps it: the twin, or Azurite behind the real SDK."""

import base64
import contextlib
import os
import secrets
import subprocess
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from azure.storage.blob.aio import ContainerClient

from local.blob.command import ACCOUNT, azurite_command, azurite_environment
from shared.adapters.blob.files import CONTAINER, BlobFiles
from shared.config import Endpoint
from shared.domain.errors import UnavailableError
from shared.domain.ids import AttachmentId, ConversationId, attachment_id, group_conversation_id
from shared.domain.messages.attachment import SNIFFED_BYTES, Attachment
from shared.ports import BlobStore, Unsettled, UploadRecord, VersionConflictError
from tests.contract.cosmos.harness import ROOT
from tests.contract.ports.ends import no_credential, wait_until_listening
from tests.support.ports import free_port
from tests.twins.blobs import MemoryBlobStore
from tests.twins.system import SettableClock
from tests.unit.things import ANN
from tests.unit.things import attachment as any_attachment

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BlobEnd:
    """File storage, its clock, and what a client does with a link to upload: its status."""

    blobs: BlobStore
    clock: SettableClock
    upload: Callable[[ConversationId, AttachmentId, str, bytes], Awaitable[int]]
    lose_grant: Callable[[ConversationId, AttachmentId], Awaitable[None]]


def memory_end() -> BlobEnd:
    clock = SettableClock()
    blobs = MemoryBlobStore(clock)

    async def upload(place: ConversationId, one: AttachmentId, _url: str, content: bytes) -> int:
        there = await blobs.find_upload(place, one)
        blobs.upload(place, one, content)
        return 201 if there is None else 403

    async def lose_grant(place: ConversationId, one: AttachmentId) -> None:
        del blobs.grants[place, one]

    return BlobEnd(blobs, clock, upload, lose_grant)


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with _running_azurite(tmp_path_factory.mktemp("azurite-ports")) as connection:
        yield connection


@contextlib.contextmanager
def _running_azurite(directory: Path) -> Iterator[str]:
    port, key = free_port(), base64.b64encode(secrets.token_bytes(64)).decode()
    inherited = os.environ  # noqa: TID251
    process = subprocess.Popen(
        azurite_command(ROOT, port, directory),
        cwd=ROOT,
        env={**inherited, **azurite_environment(key)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_listening(port)
        yield (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};"
            f"BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT};"
        )
    finally:
        process.terminate()
        process.wait(10)


@contextlib.asynccontextmanager
async def azurite_end(connection: str) -> AsyncIterator[BlobEnd]:
    clock = SettableClock(datetime.now(SettableClock().now().tzinfo).replace(microsecond=0))
    blobs = BlobFiles(Endpoint(connection, "", ""), no_credential, clock)
    container = ContainerClient.from_connection_string(connection, CONTAINER)
    async with contextlib.aclosing(blobs), container, aiohttp.ClientSession() as session:
        if not await container.exists():
            await container.create_container()

        async def upload(_p: ConversationId, _o: AttachmentId, url: str, content: bytes) -> int:
            headers = {"x-ms-blob-type": "BlockBlob", "content-type": "image/png"}
            async with session.put(url, data=content, headers=headers) as answer:
                return answer.status

        async def lose_grant(place: ConversationId, one: AttachmentId) -> None:
            await container.delete_blob(f"grants/{place}/{one}")

        yield BlobEnd(blobs, clock, upload, lose_grant)


@pytest.fixture(params=["memory", pytest.param("azurite", marks=pytest.mark.stack)])
async def end(request: pytest.FixtureRequest) -> AsyncIterator[BlobEnd]:
    if request.param == "memory":
        yield memory_end()
        return
    async with azurite_end(request.getfixturevalue("azurite")) as real:
        yield real


@pytest.fixture
def place() -> ConversationId:
    return group_conversation_id(uuid.uuid4())


@pytest.fixture
def attachment() -> Attachment:
    return replace(any_attachment(), attachment_id=attachment_id(uuid.uuid4()))


async def found(end: BlobEnd, place: ConversationId, attachment: Attachment) -> UploadRecord:
    granted = await end.blobs.find_grant(place, attachment.attachment_id)
    assert granted is not None
    return granted


async def test_a_grant_is_remembered(
    end: BlobEnd, place: ConversationId, attachment: Attachment
) -> None:
    assert await end.blobs.find_grant(place, attachment.attachment_id) is None

    grant = await end.blobs.grant_upload(place, attachment, ANN)

    granted = await found(end, place, attachment)
    assert (granted.attachment, granted.owner) == (attachment, ANN)
    assert (granted.granted_at, granted.referred) == (end.clock.now(), False)
    assert (granted.sequence, granted.has_thumbnail) == (None, False)
    assert grant.expires_at == end.clock.now() + timedelta(minutes=15)
    assert grant.headers["content-type"] == "image/png"


async def test_a_link_creates_one_file_and_overwrites_none(
    end: BlobEnd, place: ConversationId, attachment: Attachment
) -> None:
    one = attachment.attachment_id
    grant = await end.blobs.grant_upload(place, attachment, ANN)
    assert await end.blobs.find_upload(place, one) is None

    first = await end.upload(place, one, grant.url, b"first")
    second = await end.upload(place, one, grant.url, b"second")

    stored = await end.blobs.find_upload(place, one)
    assert (first, second) == (201, 403)
    assert stored is not None
    assert (stored.size_bytes, stored.first_bytes) == (5, b"first")
    assert await end.blobs.read(place, one) == b"first"


async def test_of_a_large_file_the_first_bytes_are_shown(
    end: BlobEnd, place: ConversationId, attachment: Attachment
) -> None:
    grant = await end.blobs.grant_upload(place, attachment, ANN)
    await end.upload(place, attachment.attachment_id, grant.url, b"x" * (SNIFFED_BYTES + 9))

    stored = await end.blobs.find_upload(place, attachment.attachment_id)

    assert stored is not None
    assert (stored.size_bytes, len(stored.first_bytes)) == (SNIFFED_BYTES + 9, SNIFFED_BYTES)


async def test_an_empty_file_is_a_file(
    end: BlobEnd, place: ConversationId, attachment: Attachment
) -> None:
    grant = await end.blobs.grant_upload(place, attachment, ANN)
    await end.upload(place, attachment.attachment_id, grant.url, b"")

    stored = await end.blobs.find_upload(place, attachment.attachment_id)

    assert stored is not None
    assert (stored.size_bytes, stored.first_bytes) == (0, b"")


async def test_a_grant_is_replaced_as_it_was_read(
    end: BlobEnd, place: ConversationId, attachment: Attachment
) -> None:
    await end.blobs.grant_upload(place, attachment, ANN)
    read = await found(end, place, attachment)
    judged = replace(attachment, state="clean", width=3, height=4)

    await end.blobs.replace_grant(place, replace(read, attachment=judged, referred=True))

    changed = await found(end, place, attachment)
    assert (changed.attachment, changed.referred) == (judged, True)
    assert changed.etag != read.etag
    with pytest.raises(VersionConflictError):
        await end.blobs.replace_grant(place, replace(read, has_thumbnail=True))


async def test_files_lead_to_themselves_and_small_copies_to_theirs(
    end: BlobEnd, place: ConversationId, attachment: Attachment
) -> None:
    one = attachment.attachment_id
    await end.blobs.put_thumbnail(place, one, b"small")

    large = await end.blobs.read_url(place, attachment)
    small = await end.blobs.read_url(place, attachment, thumbnail=True)

    assert f"files/{place}/{one}" in large
    assert f"thumbnails/{place}/{one}" in small
    assert await end.blobs.read(place, one) == b""


async def test_what_is_unsettled_is_found_when_it_is_old_enough(
    end: BlobEnd, place: ConversationId, attachment: Attachment
) -> None:
    await end.blobs.grant_upload(place, attachment, ANN)
    now = end.clock.now()
    name = Unsettled(
        place, attachment.attachment_id, now.replace(minute=0, second=0, microsecond=0)
    )

    young = await end.blobs.list_unsettled(before=now - DAY, limit=100)
    old = await end.blobs.list_unsettled(before=now + DAY, limit=100)
    none = await end.blobs.list_unsettled(before=now + DAY, limit=0)
    hour = timedelta(hours=1)
    since = await end.blobs.list_unsettled(since=now - hour, before=now + hour, limit=100)
    later = await end.blobs.list_unsettled(since=now + hour, before=now + 3 * hour, limit=100)

    assert name not in young
    assert name in old
    assert none == []
    assert name in since
    assert name not in later


@pytest.mark.parametrize("keep", [True, False])
async def test_what_is_settled_is_kept_or_deleted(
    end: BlobEnd, place: ConversationId, attachment: Attachment, keep: bool
) -> None:
    one = attachment.attachment_id
    grant = await end.blobs.grant_upload(place, attachment, ANN)
    await end.upload(place, one, grant.url, b"data")

    for _ in range(2):
        await end.blobs.settle(place, one, keep=keep)

    assert one not in await unsettled(end)
    assert (await end.blobs.find_grant(place, one) is not None) == keep
    assert (await end.blobs.find_upload(place, one) is not None) == keep


async def unsettled(end: BlobEnd) -> set[AttachmentId]:
    listed = await end.blobs.list_unsettled(before=end.clock.now() + DAY, limit=1_000)
    return {one.attachment_id for one in listed}


async def test_a_marker_whose_grant_is_gone_is_taken_off_by_its_hour(
    end: BlobEnd, place: ConversationId, attachment: Attachment
) -> None:
    one = attachment.attachment_id
    await end.blobs.grant_upload(place, attachment, ANN)
    await end.lose_grant(place, one)  # as a worker does that ends before it deletes the marker

    (marked,) = [
        listed
        for listed in await end.blobs.list_unsettled(before=end.clock.now() + DAY, limit=1_000)
        if listed.attachment_id == one
    ]
    await end.blobs.settle(place, one, keep=False, marked_at=marked.marked_at)

    assert one not in await unsettled(end)


async def test_an_upload_tells_its_size_and_is_discarded_alone(
    end: BlobEnd, place: ConversationId, attachment: Attachment
) -> None:
    one = attachment.attachment_id
    grant = await end.blobs.grant_upload(place, attachment, ANN)
    before = await end.blobs.size_of_upload(place, one)
    await end.upload(place, one, grant.url, b"twelve bytes")
    size = await end.blobs.size_of_upload(place, one)

    for _ in range(2):
        await end.blobs.discard_upload(place, one)

    assert (before, size) == (None, 12)
    assert await end.blobs.size_of_upload(place, one) is None
    assert await end.blobs.find_grant(place, one) is not None
    assert one in await unsettled(end)


@pytest.mark.stack
async def test_a_link_reads_what_was_uploaded_under_its_checked_type(
    azurite: str, place: ConversationId, attachment: Attachment
) -> None:
    async with azurite_end(azurite) as end, aiohttp.ClientSession() as session:
        grant = await end.blobs.grant_upload(place, attachment, ANN)
        await end.upload(place, attachment.attachment_id, grant.url, b"data")
        url = await end.blobs.read_url(place, attachment)

        async with session.get(url) as answer:
            assert (answer.status, await answer.read()) == (200, b"data")
            assert answer.headers["content-type"] == "image/png"
            assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''cat.png"
        block = {"x-ms-blob-type": "BlockBlob"}
        async with session.put(url, data=b"other", headers=block) as answer:
            assert answer.status == 403
        async with session.get(grant.url) as answer:
            assert answer.status == 403


@pytest.mark.stack
async def test_storage_that_is_not_there_is_unavailable(
    azurite: str, place: ConversationId, attachment: Attachment
) -> None:
    async with azurite_end(azurite) as end:
        assert isinstance(end.blobs, BlobFiles)
        await end.blobs.check()
    broken = azurite.replace("AccountName=", "AccountName=x")
    nowhere = BlobFiles(Endpoint(broken, "", ""), no_credential, SettableClock())

    async with contextlib.aclosing(nowhere):
        with pytest.raises(UnavailableError):
            await nowhere.check()
        with pytest.raises(UnavailableError):
            await nowhere.find_grant(place, attachment.attachment_id)
    assert CONTAINER == "attachments"


@pytest.mark.stack
@pytest.mark.parametrize(
    ("name", "content_type", "disposition"),
    [
        ("x.html", "image/gif", "inline; filename*=UTF-8''x.html.gif"),
        ('a"; x=\u202ey.txt', "text/plain", "attachment; filename*=UTF-8''a%22%3B%20x%3Dy.txt"),
        ("run.bat", "text/plain", "attachment; filename*=UTF-8''run.bat.txt"),
    ],
)
async def test_a_file_granted_before_names_were_bound_is_given_out_under_a_safe_one(
    azurite: str,
    place: ConversationId,
    attachment: Attachment,
    name: str,
    content_type: str,
    disposition: str,
) -> None:
    old = replace(attachment, file_name=name, content_type=content_type)
    async with azurite_end(azurite) as end, aiohttp.ClientSession() as session:
        grant = await end.blobs.grant_upload(place, old, ANN)
        await end.upload(place, old.attachment_id, grant.url, b"data")

        async with session.get(await end.blobs.read_url(place, old)) as answer:
            assert answer.status == 200
            assert answer.headers["content-type"] == content_type
            assert answer.headers["content-disposition"] == disposition
