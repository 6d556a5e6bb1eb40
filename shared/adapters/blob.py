"""Attachments in Blob Storage: the container `attachments`.

A file lies at `files/<conversation>/<attachment>`, what was granted for it beside it at
`grants/<conversation>/<attachment>`. A client's link can create that one file and nothing else, not
overwrite it: what was checked stays what is read.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final, override
from urllib.parse import quote

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobSasPermissions, UserDelegationKey, generate_blob_sas
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from shared.adapters.items import attachment_from_item, attachment_item
from shared.config import Endpoint
from shared.domain.attachment import SNIFFED_BYTES, Attachment, Granted, StoredBlob, UploadGrant
from shared.domain.errors import UnavailableError
from shared.domain.ids import AttachmentId, ConversationId, UserId
from shared.domain.times import from_ms, to_ms
from shared.ports import BlobStore, Clock

CONTAINER: Final = "attachments"
_UPLOAD: Final = timedelta(minutes=15)
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
            self._account_key = _setting(endpoint.connection_string, "AccountKey")
        else:
            self._service = BlobServiceClient(endpoint.address, credential())
        self._container: ContainerClient = self._service.get_container_client(CONTAINER)

    @override
    async def grant_upload(
        self, conversation_id: ConversationId, attachment: Attachment, owner: UserId
    ) -> UploadGrant:
        now = self._clock.now()
        await self.put_grant(conversation_id, Granted(attachment, owner, now))
        expires_at = now + _UPLOAD
        url = await self._signed(
            _file(conversation_id, attachment.attachment_id),
            BlobSasPermissions(create=True),
            expires_at,
        )
        headers = {"x-ms-blob-type": "BlockBlob", "content-type": attachment.content_type}
        return UploadGrant(url, headers, expires_at)

    @override
    async def find_grant(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> Granted | None:
        text = await self._first_bytes(_grant(conversation_id, attachment_id), None)
        if text is None:
            return None
        item = json.loads(text)
        return Granted(
            attachment_from_item(item["attachment"]),
            UserId(item["owner"]),
            from_ms(item["grantedAt"]),
            referred=item["referred"],
        )

    @override
    async def find_upload(
        self, conversation_id: ConversationId, attachment_id: AttachmentId
    ) -> StoredBlob | None:
        blob = self._container.get_blob_client(_file(conversation_id, attachment_id))
        try:
            properties = await _answered(blob.get_blob_properties())
        except ResourceNotFoundError:
            return None
        first = await self._first_bytes(_file(conversation_id, attachment_id), SNIFFED_BYTES)
        return StoredBlob(properties.size, first or b"")

    @override
    async def put_grant(self, conversation_id: ConversationId, grant: Granted) -> None:
        item = {
            "attachment": attachment_item(grant.attachment),
            "owner": grant.owner,
            "grantedAt": to_ms(grant.granted_at),
            "referred": grant.referred,
        }
        name = _grant(conversation_id, grant.attachment.attachment_id)
        await _answered(self._container.upload_blob(name, json.dumps(item), overwrite=True))

    @override
    async def read_url(self, conversation_id: ConversationId, attachment: Attachment) -> str:
        return await self._signed(
            _file(conversation_id, attachment.attachment_id),
            BlobSasPermissions(read=True),
            self._clock.now() + _READ,
            # A browser shows what is safe to show under its checked type, and saves the rest.
            content_type=attachment.content_type,
            content_disposition=_disposition(attachment),
            cache_control="private, max-age=600",
        )

    async def check(self) -> None:
        """Ask for the container's properties.

        Raises:
            UnavailableError: No answer came, or there is no such container.
        """
        try:
            await _answered(self._container.get_container_properties())
        except ResourceNotFoundError as error:
            raise UnavailableError("the container is not there") from error

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

    async def _signed(
        self,
        name: str,
        permission: BlobSasPermissions,
        expires_at: datetime,
        **said: Any,  # noqa: ANN401  # answer headers, as the SDK names them
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
            **said,
        )
        return f"{self._container.url}/{quote(name)}?{token}"

    async def _delegation_key(self) -> UserDelegationKey:
        now = self._clock.now()
        if self._delegation is None or self._delegation[1] - now < _READ + _UPLOAD:
            until = now + _KEY
            key = await _answered(self._service.get_user_delegation_key(now - _SKEW, until))
            self._delegation = key, until
        return self._delegation[0]


async def _answered[T](operation: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await operation
    except ResourceNotFoundError:
        raise
    except (AzureError, OSError, TimeoutError) as error:
        raise UnavailableError("file storage did not answer") from error


def _file(conversation_id: ConversationId, attachment_id: AttachmentId) -> str:
    return f"files/{conversation_id}/{attachment_id}"


def _grant(conversation_id: ConversationId, attachment_id: AttachmentId) -> str:
    return f"grants/{conversation_id}/{attachment_id}"


def _disposition(attachment: Attachment) -> str:
    shown = attachment.content_type.startswith(("image/", "video/", "audio/"))
    kind = "inline" if shown else "attachment"
    return f"{kind}; filename*=UTF-8''{quote(attachment.file_name, safe='')}"


def _setting(connection_string: str, name: str) -> str:
    parts = (part.partition("=") for part in connection_string.split(";"))
    return next(value for key, _, value in parts if key == name)
