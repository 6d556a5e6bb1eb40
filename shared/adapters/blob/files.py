"""Attachments in Blob Storage: the container `attachments`.

A file lies at `files/<conversation>/<attachment>`, the record of its grant at `grants/...`, its
small copy at `thumbnails/...`. A client's link can create that one file and nothing else, not
overwrite it: members read the bytes that were checked. A marker at `unsettled/<hour>/...` lets the
sweep find the grants of one hour without listing all files.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final, override
from urllib.parse import quote

from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobSasPermissions, UserDelegationKey, generate_blob_sas
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from shared.adapters.blob.layout import (
    disposition,
    file_name,
    from_hour,
    grant_from,
    grant_name,
    grant_text,
    hour_of,
    hours_between,
    marker_name,
    thumbnail_name,
)
from shared.adapters.connection_string import parse
from shared.config import Endpoint
from shared.domain.errors import UnavailableError
from shared.domain.ids import AttachmentId, ConversationId, UserId
from shared.domain.messages.attachment import LINK_LASTS, SNIFFED_BYTES, Attachment
from shared.ports import (
    BlobStore,
    Clock,
    StoredBlob,
    Unsettled,
    UploadGrant,
    UploadRecord,
    VersionConflictError,
)

CONTAINER: Final = "attachments"
_READ: Final = timedelta(minutes=10)
_KEY: Final = timedelta(hours=6)
_SKEW: Final = timedelta(minutes=5)
_TIMEOUT_S: Final = 15.0


class BlobFiles(BlobStore):
    """Fulfils `BlobStore`. Links are signed by the account key locally, by identity in Azure."""

    def __init__(
        self, endpoint: Endpoint, credential: Callable[[], AsyncTokenCredential], clock: Clock
    ) -> None:
        self._clock = clock
        self._account_key: str | None = None
        self._delegation: tuple[UserDelegationKey, datetime] | None = None
        if endpoint.connection_string:
            self._service = BlobServiceClient.from_connection_string(endpoint.connection_string)
            self._account_key = parse(endpoint.connection_string)["accountkey"]
        else:
            self._service = BlobServiceClient(endpoint.address, credential())
        self._container: ContainerClient = self._service.get_container_client(CONTAINER)

    @override
    async def grant_upload(
        self, conversation_id: ConversationId, attachment: Attachment, owner: UserId
    ) -> UploadGrant:
        now = self._clock.now()
        attachment_id = attachment.attachment_id
        # The marker first: whatever is there can then be swept.
        await _answered(
            self._container.upload_blob(marker_name(now, conversation_id, attachment_id), b"")
        )
        text = grant_text(UploadRecord(attachment, owner, now))
        await _answered(
            self._container.upload_blob(grant_name(conversation_id, attachment_id), text)
        )
        expires_at = now + LINK_LASTS
        url = await self._signed(
            file_name(conversation_id, attachment.attachment_id),
            BlobSasPermissions(create=True),
            expires_at,
        )
        headers = {"x-ms-blob-type": "BlockBlob", "content-type": attachment.content_type}
        return UploadGrant(url, headers, expires_at)

    @override
    async def find_grant(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> UploadRecord | None:
        try:
            stream = await _answered(
                self._container.download_blob(grant_name(conversation_id, attachment_id))
            )
            return grant_from(await _answered(stream.readall()), stream.properties.etag)
        except ResourceNotFoundError:
            return None

    @override
    async def replace_grant(self, conversation_id: ConversationId, granted: UploadRecord) -> None:
        name = grant_name(conversation_id, granted.attachment.attachment_id)
        try:
            await _answered(
                self._container.upload_blob(
                    name,
                    grant_text(granted),
                    overwrite=True,
                    etag=granted.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            )
        except ResourceModifiedError as error:
            raise VersionConflictError from error

    @override
    async def find_upload(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> StoredBlob | None:
        blob = self._container.get_blob_client(file_name(conversation_id, attachment_id))
        try:
            properties = await _answered(blob.get_blob_properties())
        except ResourceNotFoundError:
            return None
        if not properties.size:
            return StoredBlob(0, b"")  # an empty blob has no range to read
        first = await self._first_bytes(file_name(conversation_id, attachment_id), SNIFFED_BYTES)
        return StoredBlob(properties.size, first or b"")

    @override
    async def size_of_upload(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> int | None:
        blob = self._container.get_blob_client(file_name(conversation_id, attachment_id))
        try:
            return int((await _answered(blob.get_blob_properties())).size)
        except ResourceNotFoundError:
            return None

    @override
    async def discard_upload(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> None:
        await self._delete(file_name(conversation_id, attachment_id))

    @override
    async def read(self, conversation_id: ConversationId, attachment_id: AttachmentId) -> bytes:
        return await self._first_bytes(file_name(conversation_id, attachment_id), None) or b""

    @override
    async def put_thumbnail(
        self, conversation_id: ConversationId, attachment_id: AttachmentId, data: bytes
    ) -> None:
        name = thumbnail_name(conversation_id, attachment_id)
        await _answered(self._container.upload_blob(name, data, overwrite=True))

    @override
    async def read_url(
        self, conversation_id: ConversationId, attachment: Attachment, *, thumbnail: bool = False
    ) -> str:
        place = thumbnail_name if thumbnail else file_name
        content_type = "image/webp" if thumbnail else attachment.content_type
        return await self._signed(
            place(conversation_id, attachment.attachment_id),
            BlobSasPermissions(read=True),
            self._clock.now() + _READ,
            # A browser shows pictures, videos and sounds under their checked type, and saves
            # other files.
            content_type=content_type,
            content_disposition=disposition(attachment.file_name, content_type),
            cache_control="private, max-age=600",
        )

    @override
    async def list_unsettled(
        self, *, before: datetime, limit: int, since: datetime | None = None
    ) -> list[Unsettled]:
        unsettled: list[Unsettled] = []
        for prefix in hours_between(since, before):
            async for name in self._names(prefix):
                _, hour, conversation_id, attachment_id = name.split("/")
                if hour >= hour_of(before) or len(unsettled) >= limit:
                    return unsettled
                unsettled.append(
                    Unsettled(
                        ConversationId(conversation_id),
                        AttachmentId(attachment_id),
                        from_hour(hour),
                    )
                )
        return unsettled

    @override
    async def settle(
        self,
        conversation_id: ConversationId,
        attachment_id: AttachmentId,
        *,
        keep: bool,
        marked_at: datetime | None = None,
    ) -> None:
        granted = await self.find_grant(conversation_id, attachment_id)
        if not keep:
            await self._delete(file_name(conversation_id, attachment_id))
            await self._delete(thumbnail_name(conversation_id, attachment_id))
            await self._delete(grant_name(conversation_id, attachment_id))
        granted_at = granted.granted_at if granted else marked_at
        if granted_at is not None:
            await self._delete(marker_name(granted_at, conversation_id, attachment_id))

    async def aclose(self) -> None:
        """End the connections to the storage account."""
        await self._service.close()

    async def check(self) -> None:
        """Ask for the container's properties.

        Raises:
            UnavailableError: No answer came, or there is no such container.
        """
        try:
            await _answered(self._container.get_container_properties())
        except ResourceNotFoundError as error:
            raise UnavailableError("the container is not there") from error

    async def _names(self, prefix: str) -> AsyncIterator[str]:
        """Yield the names of blobs that begin so, page by page, each within the time limit."""
        pages = self._container.list_blob_names(name_starts_with=prefix).by_page()
        while True:
            try:
                page = await _answered(anext(pages))
            except StopAsyncIteration:
                return
            async for name in page:
                yield name

    async def _first_bytes(self, name: str, count: int | None) -> bytes | None:
        async def read() -> bytes:
            stream = await self._container.download_blob(
                name, offset=None if count is None else 0, length=count
            )
            return await stream.readall()

        try:
            return await _answered(read())
        except ResourceNotFoundError:
            return None

    async def _delete(self, name: str) -> None:
        try:
            await _answered(self._container.delete_blob(name))
        except ResourceNotFoundError:
            return

    async def _signed(
        self,
        name: str,
        permission: BlobSasPermissions,
        expires_at: datetime,
        **answer_headers: Any,  # noqa: ANN401  # answer headers, as the SDK names them
    ) -> str:
        key: dict[str, Any] = {"account_key": self._account_key}
        if self._account_key is None:
            key = {"user_delegation_key": await self._delegation_key()}
        token = generate_blob_sas(
            str(self._service.account_name),
            CONTAINER,
            name,
            permission=permission,
            expiry=expires_at,
            **key,
            **answer_headers,
        )
        return f"{self._container.url}/{quote(name)}?{token}"

    async def _delegation_key(self) -> UserDelegationKey:
        now = self._clock.now()
        if self._delegation is None or self._delegation[1] - now < _READ + LINK_LASTS:
            until = now + _KEY
            key = await _answered(self._service.get_user_delegation_key(now - _SKEW, until))
            self._delegation = key, until
        return self._delegation[0]


async def _answered[T](operation: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await operation
    except (ResourceNotFoundError, ResourceModifiedError):
        raise
    except (AzureError, OSError, TimeoutError) as error:
        raise UnavailableError("file storage did not answer") from error
