"""The process that decodes pictures: a fault in it does not harm the worker.

`images.py` starts it as `python -m shared.adapters.blob.image_child`. It reads a picture's length
(4 bytes, big-endian) and bytes from its standard input, answers with the small copy in the
same form, empty if there is none, and ends with its input: when the worker is gone, so is this.

Its memory is limited once, its CPU time anew for each picture: a decoder that runs on is killed by
the kernel even if the worker that waits for it was killed before.
"""

import contextlib
import io
import os
import resource
import signal
from typing import BinaryIO, Final

from PIL import GifImagePlugin, Image, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from shared.adapters.blob.image_structure import MAX_PIXELS, inspect

CPU_S: Final = 5
_MEMORY_BYTES: Final = 1 << 30  # of addresses: 50 million pixels decoded, and what a copy needs
_BOX: Final = (320, 320)
_QUALITY: Final = 80
_LENGTH_BYTES: Final = 4

# Imported by name, so that Pillow need not look for them among all that it knows.
PLUGINS: Final = (GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin)


def make_thumbnail(data: bytes) -> bytes | None:
    """Return a copy of at most 320 x 320 pixels as WebP; None if the picture gives none."""
    structure = inspect(data)
    if structure is None:
        return None
    try:
        with Image.open(io.BytesIO(data), formats=[structure.kind]) as image:
            if image.width * image.height > MAX_PIXELS:
                return None  # its first frame is larger than the picture
            image.draft("RGB", _BOX)  # lets JPEG decode straight to a smaller size
            image.thumbnail(_BOX)  # before anything else is done: what comes after is small
            upright = ImageOps.exif_transpose(image)  # the copy has no EXIF, only its effect
            small = io.BytesIO()
            mode = "RGBA" if _has_alpha(upright) else "RGB"
            upright.convert(mode).save(small, "WEBP", quality=_QUALITY)
            return small.getvalue()
    except Exception:  # noqa: BLE001  # whatever a broken picture makes a decoder raise
        return None


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer each picture of *requests* until they end."""
    while len(length := requests.read(_LENGTH_BYTES)) == _LENGTH_BYTES:
        data = requests.read(int.from_bytes(length, "big"))
        allow_cpu()
        small = make_thumbnail(data) or b""
        answers.write(len(small).to_bytes(_LENGTH_BYTES, "big") + small)
        answers.flush()


def allow_cpu() -> None:
    """Give the next picture its own time; the kernel kills what takes more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + 1 + CPU_S
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def limit() -> None:
    """Take from this process what no picture needs: much memory, files to write, core dumps."""
    with contextlib.suppress(ValueError, OSError):  # macOS takes no limit of addresses
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the worker; this ends with it
    limit()
    with os.fdopen(0, "rb") as requests, os.fdopen(1, "wb") as answers:
        serve(requests, answers)


if __name__ == "__main__":
    main()
