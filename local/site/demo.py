"""The demo people, and who knows whom."""

from dataclasses import dataclass

_NAMES = {
    "amara": "Amara Okafor",
    "ben": "Ben Lindqvist",
    "chiara": "Chiara Moretti",
    "daniel": "Daniel Reyes",
    "elif": "Elif Demir",
    "finn": "Finn O'Sullivan",
    "grace": "Grace Nakamura",
    "hugo": "Hugo Almeida",
    "ines": "Inès Laurent",
    "jonas": "Jonas Weber",
    "kavya": "Kavya Raman",
    "leo": "Leo Kowalski",
}

# Acquaintance is mutual; everybody knows Amara and Ben, so any two windows find each other.
_PAIRS = (
    ("chiara", "daniel"),
    ("chiara", "elif"),
    ("chiara", "ines"),
    ("daniel", "grace"),
    ("daniel", "kavya"),
    ("elif", "finn"),
    ("elif", "leo"),
    ("finn", "grace"),
    ("finn", "jonas"),
    ("grace", "hugo"),
    ("hugo", "ines"),
    ("hugo", "leo"),
    ("ines", "jonas"),
    ("jonas", "kavya"),
    ("kavya", "leo"),
)
_KNOWN_TO_ALL = ("amara", "ben")


@dataclass(frozen=True, slots=True)
class DemoUser:
    user_id: str
    display_name: str
    contacts: tuple[str, ...]


def demo_users() -> list[DemoUser]:
    """Return the demo people in the order they are shown."""
    return [DemoUser(user_id, name, _contacts(user_id)) for user_id, name in _NAMES.items()]


def _contacts(user_id: str) -> tuple[str, ...]:
    if user_id in _KNOWN_TO_ALL:
        return tuple(other for other in _NAMES if other != user_id)
    met = {other for pair in _PAIRS if user_id in pair for other in pair if other != user_id}
    return (*_KNOWN_TO_ALL, *sorted(met))
