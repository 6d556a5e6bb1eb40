"""Attachments in Blob Storage: the container `attachments`.

A file lies at `files/<conversation>/<attachment>`, what was granted for it at `grants/...`, its
small copy at `thumbnails/...`. A client's link can create that one file and nothing else, not
overwrite it: what was checked stays what is read. A marker at `unsettled/<hour>/...` lets the sweep
find what was granted in an hour without listing everything there is.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final, override
from urllib.parse import quote

from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import (
    AzureError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobSasPermissions, UserDelegationKey, generate_blob_sas
from azure.storage.blob.aio import BlobServiceClient, ContainerClient

from shared.adapters.items import attachment_from_item, attachment_item
from shared.config import Endpoint
from shared.domain.attachment import SNIFFED_BYTES, Attachment, Granted, StoredBlob, UploadGrant
from shared.domain.errors import UnavailableError
from shared.domain.file_name import stored_file_name
from shared.domain.ids import AttachmentId, ConversationId, UserId
from shared.domain.times import from_ms, to_ms
from shared.ports import BlobStore, Clock, VersionConflictError

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
        attachment_id = attachment.attachment_id
        # The marker first: whatever is there can then be swept.
        await _answered(
            self._container.upload_blob(_marker(now, conversation_id, attachment_id), b"")
        )
        text = _grant_text(Granted(attachment, owner, now))
        await _answered(self._container.upload_blob(_grant(conversation_id, attachment_id), text))
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
        try:
            stream = await _answered(
                self._container.download_blob(_grant(conversation_id, attachment_id))
            )
            return _grant_from(await _answered(stream.readall()), stream.properties.etag)
        except ResourceNotFoundError:
            return None

    @override
    async def replace_grant(self, conversation_id: ConversationId, granted: Granted) -> None:
        name = _grant(conversation_id, granted.attachment.attachment_id)
        try:
            await _answered(
                self._container.upload_blob(
                    name,
                    _grant_text(granted),
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
        blob = self._container.get_blob_client(_file(conversation_id, attachment_id))
        try:
            properties = await _answered(blob.get_blob_properties())
        except ResourceNotFoundError:
            return None
        if not properties.size:
            return StoredBlob(0, b"")  # of which no range can be read
        first = await self._first_bytes(_file(conversation_id, attachment_id), SNIFFED_BYTES)
        return StoredBlob(properties.size, first or b"")

    @override
    async def read(self, conversation_id: ConversationId, attachment_id: AttachmentId) -> bytes:
        return await self._first_bytes(_file(conversation_id, attachment_id), None) or b""

    @override
    async def put_thumbnail(
        self, conversation_id: ConversationId, attachment_id: AttachmentId, data: bytes
    ) -> None:
        name = _thumbnail(conversation_id, attachment_id)
        await _answered(self._container.upload_blob(name, data, overwrite=True))

    @override
    async def read_url(
        self, conversation_id: ConversationId, attachment: Attachment, *, thumbnail: bool = False
    ) -> str:
        place = _thumbnail if thumbnail else _file
        content_type = "image/webp" if thumbnail else attachment.content_type
        return await self._signed(
            place(conversation_id, attachment.attachment_id),
            BlobSasPermissions(read=True),
            self._clock.now() + _READ,
            # A browser shows what is safe to show under its checked type, and saves the rest.
            content_type=content_type,
            content_disposition=_disposition(attachment.file_name, content_type),
            cache_control="private, max-age=600",
        )

    @override
    async def list_unsettled(
        self, *, before: datetime, limit: int
    ) -> list[tuple[ConversationId, AttachmentId]]:
        async def run() -> list[str]:
            found: list[str] = []
            async for name in self._container.list_blob_names(name_starts_with="unsettled/"):
                if name.split("/")[1] >= _hour(before) or len(found) >= limit:
                    break
                found.append(name)
            return found

        parts = [name.split("/") for name in await _answered(run())]
        return [(ConversationId(one[2]), AttachmentId(one[3])) for one in parts]

    @override
    async def settle(
        self, conversation_id: ConversationId, attachment_id: AttachmentId, *, keep: bool
    ) -> None:
        granted = await self.find_grant(conversation_id, attachment_id)
        if not keep:
            await self._delete(_file(conversation_id, attachment_id))
            await self._delete(_thumbnail(conversation_id, attachment_id))
            await self._delete(_grant(conversation_id, attachment_id))
        if granted is not None:
            await self._delete(_marker(granted.granted_at, conversation_id, attachment_id))

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
    except (ResourceNotFoundError, ResourceModifiedError):
        raise
    except (AzureError, OSError, TimeoutError) as error:
        raise UnavailableError("file storage did not answer") from error


def _file(conversation_id: ConversationId, attachment_id: AttachmentId) -> str:
    return f"files/{conversation_id}/{attachment_id}"


def _grant(conversation_id: ConversationId, attachment_id: AttachmentId) -> str:
    return f"grants/{conversation_id}/{attachment_id}"


def _thumbnail(conversation_id: ConversationId, attachment_id: AttachmentId) -> str:
    return f"thumbnails/{conversation_id}/{attachment_id}"


def _marker(at: datetime, conversation_id: ConversationId, attachment_id: AttachmentId) -> str:
    return f"unsettled/{_hour(at)}/{conversation_id}/{attachment_id}"


def _hour(at: datetime) -> str:
    return at.strftime("%Y%m%d%H")


def _grant_text(granted: Granted) -> str:
    return json.dumps(
        {
            "attachment": attachment_item(granted.attachment),
            "owner": granted.owner,
            "grantedAt": to_ms(granted.granted_at),
            "referred": granted.referred,
            "sequence": granted.sequence,
            "hasThumbnail": granted.has_thumbnail,
            "thumbnailTries": granted.thumbnail_tries,
        }
    )


def _grant_from(text: bytes, etag: str) -> Granted:
    item = json.loads(text)
    return Granted(
        attachment_from_item(item["attachment"]),
        UserId(item["owner"]),
        from_ms(item["grantedAt"]),
        referred=item["referred"],
        sequence=item["sequence"],
        has_thumbnail=item["hasThumbnail"],
        thumbnail_tries=item.get("thumbnailTries", 0),
        etag=etag,
    )


def _disposition(file_name: str, content_type: str) -> str:
    shown = content_type.startswith(("image/", "video/", "audio/"))
    kind = "inline" if shown else "attachment"
    # Once more: what was granted before names were bound to types is given out as safely.
    name = stored_file_name(file_name, content_type)
    return f"{kind}; filename*=UTF-8''{quote(name, safe='')}"


def _setting(connection_string: str, name: str) -> str:
    parts = (part.partition("=") for part in connection_string.split(";"))
    return next(value for key, _, value in parts if key == name)
