"""Names, titles and pictures from outside: nothing in them may pass for something else."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.conversations.conversation import title_of
from shared.domain.people.user import MAX_NAME_CHARACTERS, display_name, picture_url
from shared.domain.text import is_plain, plain_line


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("Bob removed Ann\nEve", "Bob removed Ann Eve"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("\u2066Ann\u2069", "Ann"),
        ("A\x00n\x1bn\x9f", "Ann"),
        ("An\u200bn\ufeff", "Ann"),
        ("Ann\u2028Bob", "Ann Bob"),
        ("  Ann\t ", "Ann"),
        ("Zoë 王 \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", None),
        ("family \U0001f468\u200d\U0001f469\u200d\U0001f467", None),
        ("\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", None),
    ],
)
def test_a_name_and_a_title_are_one_plain_line(given_text: str, kept: str | None) -> None:
    expected = given_text if kept is None else kept

    assert plain_line(given_text) == expected
    assert title_of(given_text) == expected
    assert display_name(given_text, fallback="x") == expected


@given(st.text())
def test_a_plain_line_has_no_control_and_stays_as_it_is(text: str) -> None:
    line = plain_line(text)

    assert plain_line(line) == line
    assert all(is_plain(one) for one in line)
    assert not any(unicodedata.category(one) in {"Cc", "Zl", "Zp", "Cs"} for one in line)
    assert not any(unicodedata.bidirectional(one) in _OVERRIDES for one in line)


_OVERRIDES = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def test_a_name_of_nothing_to_show_is_the_fallback_and_a_long_one_is_cut() -> None:
    assert display_name("\u202e \n", fallback="ann") == "ann"
    assert display_name("\n" + "a" * 300, fallback="ann") == "a" * MAX_NAME_CHARACTERS


@pytest.mark.parametrize(
    "url", ["https://site.example/a.png", "http://127.0.0.1:7071/avatars/a.svg", "http://[::1]/a"]
)
def test_a_picture_over_https_or_of_this_machine_is_kept(url: str) -> None:
    assert picture_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:image/svg+xml,<svg/>",
        "http://site.example/a.png",
        "//site.example/a.png",
        "https://",
        "https://site.example/\n",
        "http://127.0.0.1.evil.example/",
        "https://[::1",
        "",
    ],
)
def test_another_address_is_no_picture(url: str) -> None:
    assert picture_url(url) == ""
