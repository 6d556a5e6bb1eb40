"""What a picture's own structure says, read without decoding anything.

A few bytes of a picture can cost a decoder minutes: a progressive JPEG is decoded once over for
each of its scans, and an empty scan takes 75 bytes. So a picture is looked through first, and
decoded only if nothing in it is out of measure. Plain arithmetic on bytes: no library is asked.

Source: ITU-T T.81 (JPEG), annex B; the PNG, GIF89a and WebP specifications.
"""

import re
from dataclasses import dataclass
from typing import Final

MAX_PIXELS: Final = 50_000_000  # about 200 MB decoded
_MAX_SIDE: Final = 65_535
_MAX_SCANS: Final = 100  # encoders write about ten
_MAX_SCANNED_PIXELS: Final = 1_000_000_000  # 20 scans of the largest picture: about a second
_MAX_SEGMENTS: Final = 10_000
_MAX_CHUNKS: Final = 20_000

_PNG: Final = b"\x89PNG\r\n\x1a\n"
# A marker of JPEG, past filling bytes; not a stuffed zero, nor one that stands alone in a scan.
_MARKER: Final = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive
_OTHER_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - _FRAMES - {0xC4, 0xC8, 0xCC}
_START, _END, _SCAN = 0xD8, 0xD9, 0xDA


@dataclass(frozen=True, slots=True)
class Structure:
    """What kind of picture it is, as Pillow names kinds, and its size in pixels."""

    kind: str
    width: int
    height: int


def read_size(first_bytes: bytes) -> tuple[int, int] | None:
    """Return the width and height of the picture that begins so; None if that does not tell."""
    structure = _read(first_bytes)
    return None if structure is None else (structure.width, structure.height)


def inspect(data: bytes) -> Structure | None:
    """Return the structure of a picture that may be decoded; None for any other.

    Refused are more than 50 million pixels; a JPEG of several frames, of more than 100 scans (of
    20 if it is large), or coded in a way that browsers do not show; a PNG of over 20,000 chunks.
    """
    structure = _read(data)
    if structure is None or structure.width * structure.height > MAX_PIXELS:
        return None
    if structure.kind == "JPEG":
        return structure if _is_modest_jpeg(data, structure.width * structure.height) else None
    if structure.kind == "PNG":
        return structure if _is_modest_png(data) else None
    return structure


def _read(data: bytes) -> Structure | None:
    structure: Structure | None = None
    if data.startswith(_PNG) and data[12:16] == b"IHDR":
        structure = Structure("PNG", _big(data[16:20]), _big(data[20:24]))
    elif data.startswith((b"GIF87a", b"GIF89a")):
        structure = Structure("GIF", _little(data[6:8]), _little(data[8:10]))
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        structure = _webp(data)
    elif data.startswith(b"\xff\xd8\xff"):
        structure = _jpeg(data)
    if (
        structure is None
        or not 0 < structure.width <= _MAX_SIDE
        or not 0 < structure.height <= _MAX_SIDE
    ):
        return None
    return structure


def _webp(data: bytes) -> Structure | None:
    match data[12:16]:
        case b"VP8X":
            return Structure("WEBP", 1 + _little(data[24:27]), 1 + _little(data[27:30]))
        case b"VP8L" if data[20:21] == b"\x2f":
            packed = _little(data[21:25])
            return Structure("WEBP", 1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF))
        case b"VP8 " if data[23:26] == b"\x9d\x01\x2a":
            width, height = _little(data[26:28]), _little(data[28:30])
            return Structure("WEBP", width & 0x3FFF, height & 0x3FFF)
    return None


def _jpeg(data: bytes) -> Structure | None:
    at = 2
    for _ in range(_MAX_SEGMENTS):
        marker = _MARKER.search(data, at)
        if marker is None or marker[1][0] in {_SCAN, _END}:
            return None
        at = marker.end()
        if marker[1][0] in _FRAMES:
            return Structure("JPEG", _big(data[at + 5 : at + 7]), _big(data[at + 3 : at + 5]))
        at += _big(data[at : at + 2])
    return None


def _is_modest_jpeg(data: bytes, pixels: int) -> bool:
    """Tell whether a JPEG has one frame and few scans, up to its end; what follows is not shown.

    Markers are looked for as decoders do: whatever lies between two segments is passed over.
    """
    frames = scans = 0
    at, most = 2, min(_MAX_SCANS, _MAX_SCANNED_PIXELS // pixels)
    for _ in range(_MAX_SEGMENTS):
        marker = _MARKER.search(data, at)
        if marker is None or marker[1][0] == _END:
            return frames == 1
        at, code = marker.end(), marker[1][0]
        frames += code in _FRAMES
        scans += code == _SCAN
        if frames > 1 or scans > most or code in _OTHER_FRAMES or code == _START:
            return False
        at += _big(data[at : at + 2])
    return False


def _is_modest_png(data: bytes) -> bool:
    at = len(_PNG)
    for _ in range(_MAX_CHUNKS):
        if at >= len(data) or data[at + 4 : at + 8] == b"IEND":
            return True
        at += 12 + _big(data[at : at + 4])
    return False


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
