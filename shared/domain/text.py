"""Text from users: what can be stored, and what may appear in a name, a title or a file name."""

import unicodedata
from typing import Final

# Format characters that change how their neighbours are read, or that hide text. Left out of the
# list on purpose: U+200C and U+200D, which Persian and emoji need, and the tags U+E0020 to U+E007F
# of flags.
_BIDIRECTIONAL: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e") | frozenset(
    "\u2066\u2067\u2068\u2069"
)
_INVISIBLE: Final = frozenset("\u00ad\u180e\u200b\u2060\u2061\u2062\u2063\u2064\ufeff") | frozenset(
    map(chr, [*range(0x206A, 0x2070), *range(0xFFF9, 0xFFFC)])
)
_BREAKS: Final = frozenset({"Zl", "Zp"})  # the line and the paragraph separator


def is_unicode(text: str) -> bool:
    """Tell whether *text* can be stored and sent: it has no half of a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def is_plain(character: str) -> bool:
    """Tell whether *character* may appear in a name, a title or a file name.

    Control characters, line breaks, bidirectional controls and invisible characters may not: with
    them a name can look like another name, or like a line that the service wrote.
    Source: Unicode Technical Report 36, section 2.5, and Annex 9, section 2.
    """
    if character in _BIDIRECTIONAL or character in _INVISIBLE:
        return False
    category = unicodedata.category(character)
    return category not in {"Cc", "Cs"} and category not in _BREAKS


def plain_line(text: str) -> str:
    """Return *text* as one line of plain characters, without white space around it.

    Line breaks and tabs become spaces, other characters that are not plain are left out. Doing it
    again changes nothing.
    """
    spaced = "".join(" " if character.isspace() else character for character in text)
    return "".join(filter(is_plain, spaced)).strip()
