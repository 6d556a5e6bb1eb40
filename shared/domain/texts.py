"""Texts from outside: JSON lets through what no encoding can write."""


def is_unicode(text: str) -> bool:
    """Tell whether *text* can be stored and sent: it has no half of a surrogate pair."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
