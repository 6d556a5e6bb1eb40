"""Pictures: how large one is, and a small copy without what it told of its maker."""

import io

import pytest
from PIL import Image

from shared.adapters.images import PillowImages


def picture(size: tuple[int, int], kind: str = "PNG", mode: str = "RGB", **said: object) -> bytes:
    data = io.BytesIO()
    Image.new(mode, size).save(data, kind, **said)
    return data.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
async def test_a_picture_tells_its_size_by_its_first_bytes(kind: str) -> None:
    assert await PillowImages().size(picture((640, 480), kind)[:65_536]) == (640, 480)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\x00" * 12, b"hello"])
async def test_what_is_no_picture_has_neither_size_nor_copy(data: bytes) -> None:
    assert await PillowImages().size(data) is None
    assert await PillowImages().thumbnail(data) is None


@pytest.mark.parametrize(
    ("size", "small"), [((640, 480), (320, 240)), ((10, 20), (10, 20)), ((100, 1000), (32, 320))]
)
async def test_a_copy_fits_its_box(size: tuple[int, int], small: tuple[int, int]) -> None:
    copy = await PillowImages().thumbnail(picture(size))

    assert copy is not None
    with Image.open(io.BytesIO(copy)) as opened:
        assert (opened.format, opened.size) == ("WEBP", small)


@pytest.mark.parametrize(("mode", "kept"), [("RGBA", "RGBA"), ("LA", "RGBA"), ("L", "RGB")])
async def test_what_is_clear_stays_clear(mode: str, kept: str) -> None:
    copy = await PillowImages().thumbnail(picture((8, 8), mode=mode))

    assert copy is not None
    with Image.open(io.BytesIO(copy)) as opened:
        assert opened.mode == kept


async def test_a_copy_is_turned_upright_and_tells_nothing_else() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "Maker"
    copy = await PillowImages().thumbnail(picture((40, 20), "JPEG", exif=exif))

    assert copy is not None
    with Image.open(io.BytesIO(copy)) as opened:
        assert opened.size == (20, 40)
        assert dict(opened.getexif()) == {}


async def test_a_picture_of_very_many_pixels_gets_no_copy() -> None:
    assert await PillowImages().thumbnail(picture((8_000, 7_000), mode="1")) is None
