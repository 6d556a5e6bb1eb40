"""Pictures: how large one is, and a small copy of it. Pillow is imported at first use."""

import asyncio
import io
from typing import Final, override

from shared.ports import Images

_MAX_PIXELS: Final = 50_000_000  # some 200 MB decoded; a larger picture gets no thumbnail
_BOX: Final = (320, 320)
_QUALITY: Final = 80


class PillowImages(Images):
    """Fulfils `Images`. Decoding runs in a thread: it blocks."""

    @override
    async def size(self, first_bytes: bytes) -> tuple[int, int] | None:
        return await asyncio.to_thread(_size, first_bytes)

    @override
    async def thumbnail(self, data: bytes) -> bytes | None:
        return await asyncio.to_thread(_thumbnail, data)


def _size(first_bytes: bytes) -> tuple[int, int] | None:
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415  # costs 50 ms of a cold start

    try:
        with Image.open(io.BytesIO(first_bytes)) as image:
            return image.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None


def _thumbnail(data: bytes) -> bytes | None:
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > _MAX_PIXELS:
                return None
            image.draft("RGB", _BOX)  # lets JPEG decode straight to a smaller size
            upright = ImageOps.exif_transpose(image)  # the copy carries no EXIF, only its effect
            upright.thumbnail(_BOX)
            small = io.BytesIO()
            upright.convert("RGBA" if _has_alpha(upright) else "RGB").save(
                small, "WEBP", quality=_QUALITY
            )
            return small.getvalue()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None


def _has_alpha(image: object) -> bool:
    mode = getattr(image, "mode", "")
    return mode in {"RGBA", "LA", "PA"} or "transparency" in getattr(image, "info", {})
