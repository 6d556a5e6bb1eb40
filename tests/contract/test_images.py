"""Pictures: how large one is, and a small copy without what it told of its maker.

And what decodes them: it can be killed, ends with its worker, and costs nobody but its picture.
"""

import io
import os
import re
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from shared.adapters.blob.image_child import make_thumbnail
from shared.adapters.blob.image_structure import MAX_PIXELS, inspect, read_size
from shared.adapters.blob.images import PillowImages
from tests.pictures import scan_bomb

ROOT = Path(__file__).resolve().parents[2]
CARELESS = "tests.careless_child"  # decodes whatever it is given, for a second of CPU time

type Making = Callable[..., PillowImages]


@pytest.fixture(scope="module")
def images() -> Iterator[PillowImages]:
    made = PillowImages()
    yield made
    made.close()


@pytest.fixture
def making() -> Iterator[Making]:
    """Make decoders, and end them with the test."""
    made: list[PillowImages] = []

    def make(**said: object) -> PillowImages:
        made.append(PillowImages(**said))  # type: ignore[arg-type]  # as the test says
        return made[-1]

    yield make
    for one in made:
        one.close()


def picture(size: tuple[int, int], kind: str = "PNG", mode: str = "RGB", **said: object) -> bytes:
    data = io.BytesIO()
    Image.new(mode, size).save(data, kind, **said)
    return data.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
async def test_a_picture_tells_its_size_by_its_first_bytes(images: PillowImages, kind: str) -> None:
    assert await images.size(picture((640, 480), kind)[:65_536]) == (640, 480)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\x00" * 12, b"hello"])
async def test_what_is_no_picture_has_neither_size_nor_copy(
    images: PillowImages, data: bytes
) -> None:
    assert await images.size(data) is None
    assert await images.thumbnail(data) is None


@pytest.mark.parametrize(
    ("size", "small"), [((640, 480), (320, 240)), ((10, 20), (10, 20)), ((100, 1000), (32, 320))]
)
async def test_a_copy_fits_its_box(
    images: PillowImages, size: tuple[int, int], small: tuple[int, int]
) -> None:
    copy = await images.thumbnail(picture(size))

    assert copy is not None
    with Image.open(io.BytesIO(copy)) as opened:
        assert (opened.format, opened.size) == ("WEBP", small)


@pytest.mark.parametrize(("mode", "kept"), [("RGBA", "RGBA"), ("LA", "RGBA"), ("L", "RGB")])
async def test_what_is_clear_stays_clear(images: PillowImages, mode: str, kept: str) -> None:
    copy = await images.thumbnail(picture((8, 8), mode=mode))

    assert copy is not None
    with Image.open(io.BytesIO(copy)) as opened:
        assert opened.mode == kept


async def test_a_copy_is_turned_upright_and_tells_nothing_else(images: PillowImages) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "Maker"
    copy = await images.thumbnail(picture((40, 20), "JPEG", exif=exif))

    assert copy is not None
    with Image.open(io.BytesIO(copy)) as opened:
        assert opened.size == (20, 40)
        assert dict(opened.getexif()) == {}


async def test_a_picture_of_very_many_pixels_gets_no_copy(images: PillowImages) -> None:
    assert await images.thumbnail(picture((8_000, 7_000), mode="1")) is None


def png_of(width: int, height: int, *, chunks: int = 0) -> bytes:
    """Return a PNG that says it is so large, with that many empty chunks before its end."""

    def chunk(kind: bytes, data: bytes = b"") -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(2)))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"tEXt") * chunks + rows + chunk(b"IEND")


def webp_of(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + size


def jpeg_parts() -> tuple[bytes, bytes, bytes]:
    """Return a baseline JPEG in three parts: up to its frame, the frame, and what follows."""
    whole = picture((64, 64), "JPEG")
    frame = whole.index(b"\xff\xc0")
    end = frame + 2 + int.from_bytes(whole[frame + 2 : frame + 4], "big")
    return whole[:frame], whole[frame:end], whole[end:]


HEAD, FRAME, REST = jpeg_parts()


@pytest.mark.parametrize(
    "data",
    [
        scan_bomb(101, side=64),
        scan_bomb(41, side=5_000),
        HEAD + FRAME + FRAME + REST,
        HEAD + b"\xff\xc9" + FRAME[2:] + REST,  # arithmetic coding
        HEAD + FRAME + HEAD + REST,
        HEAD + b"\xff\xfe\x00\x02" * 10_001 + FRAME + REST,
        png_of(10_000, 10_000),
        png_of(1, 1, chunks=20_001),
        png_of(1_000_000, 1),
        webp_of(16_000, 16_000),
        b"GIF89a" + struct.pack("<HH", 50_000, 50_000) + bytes(20),
    ],
    ids=[
        *("101 scans", "41 large scans", "two frames", "arithmetic", "two beginnings"),
        *("segments", "large png", "chunks", "long png", "large webp", "large gif"),
    ],
)
def test_what_is_out_of_measure_is_not_decoded(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    monkeypatch.setattr(Image, "open", lambda *said, **more: opened.append((said, more)))

    assert inspect(data) is None
    assert make_thumbnail(data) is None
    assert opened == []


@pytest.mark.parametrize(
    "data",
    [
        *(scan_bomb(20, side=64), scan_bomb(1, side=1_000)),
        picture((64, 64), "JPEG", optimize=True, progressive=True),
        picture((64, 64), "JPEG", restart_marker_blocks=1),
        picture((64, 64), "JPEG") + b"\xff\xd8 and what follows the end" + FRAME * 3,
        png_of(1, 1, chunks=100),
    ],
)
def test_what_is_in_measure_is_decoded(data: bytes) -> None:
    assert make_thumbnail(data) is not None


def test_a_picture_whose_first_frame_is_larger_than_itself_is_not_decoded() -> None:
    small = picture((8_000, 7_000), "GIF", "L")
    assert MAX_PIXELS < 8_000 * 7_000

    assert make_thumbnail(small[:6] + struct.pack("<HH", 8, 8) + small[10:]) is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_cut_short_anywhere_raises_nothing(kind: str) -> None:
    whole = picture((40, 30), kind)

    for end in range(0, len(whole), 7):
        assert read_size(whole[:end]) in {None, (40, 30)}
        make_thumbnail(whole[:end])


@pytest.mark.parametrize(("lossless", "exact"), [(True, True), (False, True), (True, False)])
def test_every_kind_of_webp_tells_its_size(lossless: bool, exact: bool) -> None:
    mode = "RGBA" if exact else "RGB"

    assert read_size(picture((300, 200), "WEBP", mode, lossless=lossless)) == (300, 200)


async def test_one_child_decodes_picture_after_picture(making: Making) -> None:
    images = making()
    assert await images.thumbnail(picture((10, 20))) is not None
    child = images.child
    assert child is not None

    assert await images.thumbnail(b"no picture") is None
    assert await images.thumbnail(picture((20, 10))) is not None

    assert images.child is child


async def test_a_child_that_died_is_replaced(making: Making) -> None:
    images = making()
    await images.thumbnail(picture((10, 20)))
    child = images.child
    assert child is not None
    os.kill(child.pid, signal.SIGKILL)
    child.wait()

    assert await images.thumbnail(picture((10, 20))) is not None


async def test_a_decoder_that_runs_on_is_killed_by_the_kernel(making: Making) -> None:
    images = making(module=CARELESS, wall_s=100)  # its CPU time takes longer on a busy machine
    assert await images.thumbnail(picture((10, 20))) is not None
    child = images.child
    assert child is not None

    assert await images.thumbnail(scan_bomb(20_000, side=2_000)) is None

    assert child.returncode == -signal.SIGXCPU
    assert await images.thumbnail(picture((10, 20))) is not None


async def test_a_decoder_that_does_not_answer_is_killed(making: Making) -> None:
    images = making(wall_s=0.2)
    await images.thumbnail(picture((10, 20)))
    child = images.child
    assert child is not None
    os.kill(child.pid, signal.SIGSTOP)

    assert await images.thumbnail(picture((3_000, 2_000))) is None

    assert child.returncode == -signal.SIGKILL


async def test_a_child_that_cannot_be_started_costs_the_copy(
    making: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = making()
    monkeypatch.setattr(sys, "executable", "/no/such/python")

    assert await images.thumbnail(picture((10, 20))) is None


async def test_the_child_knows_no_setting_and_has_little_memory(
    making: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT_VAPID_PRIVATE_KEY", "secret")
    images = making()
    await images.thumbnail(picture((10, 20)))
    assert images.child is not None

    environment, limits = (_of_process(images.child.pid, name) for name in ("environ", "limits"))

    assert "secret" not in environment
    assert "PYTHONPATH" in environment
    assert re.search(r"Max address space +1073741824 +1073741824", limits)
    assert re.search(r"Max file size +0 +0", limits)


def _of_process(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8")


WORKER = """
import asyncio, sys
from shared.adapters.blob.images import PillowImages
images = PillowImages()
asyncio.run(images.thumbnail(sys.stdin.buffer.read()))
print(images.child.pid, flush=True)
input_never_comes = __import__("time").sleep(600)
"""


def test_the_child_ends_when_its_worker_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WORKER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(picture((10, 20)))
        worker.stdin.close()
        child = int(worker.stdout.readline())
        assert Path(f"/proc/{child}").exists()

        worker.kill()

    assert _ends(child)


def _ends(pid: int) -> bool:
    for _ in range(600):
        try:
            state = (
                Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
            )
        except FileNotFoundError:
            return True
        if state == "Z":  # ended; whoever adopted it has not looked yet
            return True
        time.sleep(0.05)
    return False
