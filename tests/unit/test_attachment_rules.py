"""Which files are taken, and how their first bytes must look."""

import pytest

from shared.domain.errors import InvalidError, TooLargeError, UnsupportedTypeError
from shared.domain.messages.attachment import MAX_BYTES, check_grant, matches_type
from shared.domain.messages.file_name import MAX_CHARACTERS, check_file_name, stored_file_name

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SLIDES = "application/vnd.openxmlformats-officedocument.presentationml.presentation"

# One true beginning for each type.
BEGINNINGS = {
    "image/png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "image/gif": b"GIF89a\x01\x00\x01\x00",
    "image/webp": b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    "application/pdf": b"%PDF-1.7\n",
    "application/zip": b"PK\x03\x04\x14\x00",
    WORD: b"PK\x03\x04\x14\x00\x06\x00",
    SHEET: b"PK\x03\x04\x14\x00\x06\x00",
    SLIDES: b"PK\x03\x04\x14\x00\x06\x00",
    "audio/mpeg": b"ID3\x04\x00\x00",
    "audio/ogg": b"OggS\x00\x02",
    "audio/wav": b"RIFF\x24\x08\x00\x00WAVEfmt ",
    "video/mp4": b"\x00\x00\x00\x18ftypisom\x00\x00",
    "video/quicktime": b"\x00\x00\x00\x14ftypqt  ",
    "video/webm": b"\x1a\x45\xdf\xa3\x9f",
    "text/plain": b"hello",
}
OTHERS = {
    "image/gif": b"GIF87a\x01\x00",
    "application/zip": b"PK\x05\x06\x00\x00",
    "audio/mpeg": b"\xff\xfb\x90\x64",
}
ZIPPED = {"application/zip", WORD, SHEET, SLIDES}
BRANDED = {"video/mp4", "video/quicktime"}


@pytest.mark.parametrize("content_type", BEGINNINGS)
def test_each_type_is_known_by_its_beginning(content_type: str) -> None:
    check_grant("file", content_type, 1)

    assert matches_type(content_type, BEGINNINGS[content_type])
    assert matches_type(content_type, OTHERS.get(content_type, BEGINNINGS[content_type]))


@pytest.mark.parametrize("content_type", BEGINNINGS)
@pytest.mark.parametrize("other", BEGINNINGS)
def test_no_type_passes_for_another(content_type: str, other: str) -> None:
    kin = (
        content_type == other or {content_type, other} <= ZIPPED or {content_type, other} <= BRANDED
    )
    text = content_type == "text/plain" and b"\x00" not in BEGINNINGS[other]

    assert matches_type(content_type, BEGINNINGS[other]) == (kin or text)


@pytest.mark.parametrize("content_type", sorted(BEGINNINGS.keys() - {"text/plain"}))
@pytest.mark.parametrize("first_bytes", [b"", b"<html>", b"MZ\x90\x00", b"#!/bin/sh"])
def test_programs_and_pages_pass_for_nothing(content_type: str, first_bytes: bytes) -> None:
    assert not matches_type(content_type, first_bytes)


def test_a_text_has_no_zero_byte() -> None:
    assert not matches_type("text/plain", b"MZ\x90\x00")


@pytest.mark.parametrize(
    "content_type", ["text/html", "image/svg+xml", "application/javascript", "IMAGE/PNG", ""]
)
def test_what_a_browser_would_run_is_not_taken(content_type: str) -> None:
    assert not matches_type(content_type, b"anything")
    with pytest.raises(UnsupportedTypeError, match="contentType"):
        check_grant("file", content_type, 1)


@pytest.mark.parametrize(
    "name", ["a", "x" * 255, "cat picture.png", "Grüße.pdf", ".config", "🐈.gif"]
)
def test_plain_file_names_are_taken(name: str) -> None:
    check_grant(name, "image/png", MAX_BYTES)


@pytest.mark.parametrize(
    "name",
    [
        *(None, 1, True, ["a"], "", "x" * 256),
        *("a/b", "a\\b", "..", ". .", "a\nb", "a\x00b", "a\x7fb", "half \ud83d", "a\x85b"),
    ],
)
def test_other_file_names_are_refused(name: object) -> None:
    with pytest.raises(InvalidError, match="fileName"):
        check_grant(name, "image/png", 1)


@pytest.mark.parametrize("content_type", [None, 7, ["image/png"], {"a": 1}])
def test_a_type_is_a_text(content_type: object) -> None:
    with pytest.raises(InvalidError, match="contentType"):
        check_grant("a", content_type, 1)


@pytest.mark.parametrize("size", [None, True, "7", 1.5, float("nan"), 0, -1, [1]])
def test_a_size_is_a_whole_number(size: object) -> None:
    with pytest.raises(InvalidError, match="sizeBytes"):
        check_grant("a", "image/png", size)


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 10**30])
def test_a_file_has_at_most_25_mb(size: int) -> None:
    with pytest.raises(TooLargeError, match="sizeBytes"):
        check_grant("a", "image/png", size)


TEXT = "text/plain"
BIDI = [chr(one) for one in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x61C)]
ZERO_WIDTH = [chr(one) for one in (0x200B, 0x2060, 0xFEFF, 0xAD, 0x180E)]


@pytest.mark.parametrize(
    ("name", "content_type", "stored"),
    [
        ("cat picture.png", "image/png", "cat picture.png"),
        ("IMG_1.JPG", "image/jpeg", "IMG_1.JPG"),
        ("a.jpeg", "image/jpeg", "a.jpeg"),
        ("Grüße & “ü”.pdf", "application/pdf", "Grüße & “ü”.pdf"),
        ("notes.md", TEXT, "notes.md"),
        ("clip.mov", "video/quicktime", "clip.mov"),
        ("run.bat", TEXT, "run.bat.txt"),
        ("page.html", TEXT, "page.html.txt"),
        ("a.hta", TEXT, "a.hta.txt"),
        ("x.svg", TEXT, "x.svg.txt"),
        ("table.csv", TEXT, "table.csv.txt"),
        ("x.html", "image/gif", "x.html.gif"),
        ("evil.docm", WORD, "evil.docm.docx"),
        ("photo\u202egpj.exe", "image/png", "photogpj.exe.png"),
        ("IMG_1", "image/jpeg", "IMG_1.jpg"),
        (".png", "image/png", ".png.png"),
        ("a.png.", "image/png", "a.png"),
        ("a.exe. . ", TEXT, "a.exe.txt"),
        ("a.p\u200bng", "image/png", "a.png"),
        ("a\u2028.png", "image/png", "a.png"),
        ("\u202e", "image/png", "file.png"),
        ("\U0001f469\u200d\U0001f680.png", "image/png", "\U0001f469\u200d\U0001f680.png"),
    ],
)
def test_a_name_is_bound_to_its_type(name: str, content_type: str, stored: str) -> None:
    check_file_name(name)

    assert stored_file_name(name, content_type) == stored


@pytest.mark.parametrize("character", BIDI + ZERO_WIDTH)
def test_nothing_invisible_stays_in_a_name(character: str) -> None:
    assert stored_file_name(f"a{character}b{character}.png", "image/png") == "ab.png"


@pytest.mark.parametrize("content_type", BEGINNINGS)
@pytest.mark.parametrize("name", ["x" * 255, "x" * 254 + ".", "a", "a.exe"])
def test_what_is_stored_is_a_name_and_stays_as_it_is(content_type: str, name: str) -> None:
    stored = stored_file_name(name, content_type)

    check_file_name(stored)
    assert len(stored) <= MAX_CHARACTERS
    assert stored_file_name(stored, content_type) == stored
