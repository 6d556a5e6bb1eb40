"""File names as they are stored and shown: nothing invisible, and an extension of the type.

A file's name decides which program opens it on the reader's computer, whatever type it was checked
for: a text file with the name `run.bat` is run. A name must also read as it is. With a character
that turns the direction of writing, `photo<U+202E>gpj.exe` reads `photoexe.jpg`.
"""

import re
from typing import Final

from shared.domain.errors import InvalidError
from shared.domain.text import is_plain

MAX_CHARACTERS: Final = 255

# The extensions that a file of a type may have. A name with none of them gets the first. Those of
# text/plain open in an editor on every system: no scripts, no web pages, no spreadsheets.
_EXTENSIONS: Final[dict[str, tuple[str, ...]]] = {
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "application/pdf": ("pdf",),
    "application/zip": ("zip",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("docx",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("xlsx",),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("pptx",),
    "audio/mpeg": ("mp3",),
    "audio/ogg": ("ogg", "oga", "opus"),
    "audio/wav": ("wav",),
    "video/mp4": ("mp4", "m4v"),
    "video/quicktime": ("mov", "qt"),
    "video/webm": ("webm",),
    "text/plain": ("txt", "text", "log", "md", "json", "yaml", "yml"),
}
_REFUSED: Final = re.compile(r"[\x00-\x1f\x7f-\x9f/\\\ud800-\udfff]")
_UNNAMED: Final = "file"


def check_file_name(name: object) -> None:
    """Refuse a name that no file can have.

    Raises:
        InvalidError: The name has not 1-255 characters, or has a slash, backslash or control
            character, or has only dots and spaces.
    """
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_CHARACTERS:
        raise InvalidError(f"fileName: must have 1-{MAX_CHARACTERS} characters")
    if _REFUSED.search(name) or name.strip(". ") == "":
        raise InvalidError("fileName: must be a plain file name")


def stored_file_name(name: str, content_type: str) -> str:
    """Return the name under which a file of *content_type* is stored: at most 255 characters.

    Invisible characters are dropped, and spaces and dots at the end, which Windows drops too. A
    name without an extension of the type gets the type's: `run.bat` as text becomes `run.bat.txt`.
    """
    shown = "".join(filter(is_plain, name))
    plain = shown.strip().rstrip(". ") or _UNNAMED
    extensions = _EXTENSIONS[content_type]
    stem, _, extension = plain.rpartition(".")
    if stem and extension.lower() in extensions:
        return plain
    added = f".{extensions[0]}"
    return plain[: MAX_CHARACTERS - len(added)] + added
