"""Attachments: which files are accepted, and how their first bytes must look."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from shared.domain.errors import InvalidError, TooLargeError, UnsupportedTypeError
from shared.domain.ids import AttachmentId
from shared.domain.messages.file_name import check_file_name

State = Literal["pending", "clean", "rejected"]

MAX_BYTES = 25 * 1024 * 1024
LINK_LASTS = timedelta(minutes=15)  # how long a link to upload may be used
SNIFFED_BYTES = 65_536  # enough for every signature below, and for nearly every image's size

# A file of a type must begin with one of these signatures; an empty tuple means that the type has
# no signature (plain text). Types that a browser would run (HTML, SVG, scripts) are left out.
# Source: the formats' own specifications.
_SIGNATURES: dict[str, tuple[bytes, ...]] = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
    "application/pdf": (b"%PDF-",),
    "application/zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (b"PK\x03\x04",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (b"PK\x03\x04",),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": (b"PK\x03\x04",),
    "audio/mpeg": (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2"),
    "audio/ogg": (b"OggS",),
    "audio/wav": (b"RIFF",),
    "video/mp4": (b"ftyp",),
    "video/quicktime": (b"ftyp",),
    "video/webm": (b"\x1a\x45\xdf\xa3",),
    "text/plain": (),
}
_BRAND_OFFSET = {"video/mp4": 4, "video/quicktime": 4}
_RIFF_FORM = {"image/webp": b"WEBP", "audio/wav": b"WAVE"}

IMAGE_TYPES = frozenset(t for t in _SIGNATURES if t.startswith("image/"))


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as a message refers to it.

    Args:
        width: In pixels; None where it is no image, or the image's size is not known.
        height: In pixels, as `width`.
    """

    attachment_id: AttachmentId
    file_name: str
    content_type: str
    size_bytes: int
    width: int | None = None
    height: int | None = None
    state: State = "pending"


def check_grant(file_name: object, content_type: object, size_bytes: object) -> None:
    """Refuse an upload before it begins.

    Raises:
        InvalidError: A field is of the wrong kind, or the name has a slash or control character.
        UnsupportedTypeError: The type is not on the allow-list.
        TooLargeError: More than 25 MB.
    """
    check_file_name(file_name)
    if not isinstance(content_type, str):
        raise InvalidError("contentType: must be a media type")
    if content_type not in _SIGNATURES:
        raise UnsupportedTypeError("contentType: files of this type are not accepted")
    if isinstance(size_bytes, bool) or not isinstance(size_bytes, int) or size_bytes < 1:
        raise InvalidError("sizeBytes: must be a number of at least 1")
    if size_bytes > MAX_BYTES:
        raise TooLargeError(f"sizeBytes: at most {MAX_BYTES} bytes")


def matches_type(content_type: str, first_bytes: bytes) -> bool:
    """Tell whether *first_bytes* (16 or the whole file) can begin a file of *content_type*."""
    signatures = _SIGNATURES.get(content_type)
    if signatures is None:
        return False
    if not signatures:
        return b"\x00" not in first_bytes
    offset = _BRAND_OFFSET.get(content_type, 0)
    if not first_bytes[offset:].startswith(signatures):
        return False
    form = _RIFF_FORM.get(content_type)
    return form is None or first_bytes[8:12] == form
