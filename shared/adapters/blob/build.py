"""Opens Blob Storage, and the process that decodes pictures, for the composition root."""

from collections.abc import Callable
from dataclasses import dataclass

from azure.core.credentials_async import AsyncTokenCredential

from shared.adapters.blob.files import BlobFiles
from shared.adapters.blob.images import PillowImages
from shared.config import Settings
from shared.ports import Clock


@dataclass(frozen=True, slots=True)
class BlobPorts:
    """File storage, which is also what `health` asks, and the reader of pictures."""

    files: BlobFiles
    images: PillowImages

    async def aclose(self) -> None:
        """End the process that decodes, and the connections also where that fails."""
        try:
            await self.images.aclose()
        finally:
            await self.files.aclose()


def open_blob(
    settings: Settings, credential: Callable[[], AsyncTokenCredential], clock: Clock
) -> BlobPorts:
    """Return what keeps and reads files; nothing is sent and no process is started yet."""
    return BlobPorts(BlobFiles(settings.blob, credential, clock), PillowImages())
