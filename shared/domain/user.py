"""What chat keeps of a user of the website: a read model, not the account."""

from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from shared.domain.errors import InvalidError
from shared.domain.ids import UserId
from shared.domain.text import is_plain, is_unicode, plain_line

PreviewLevel = Literal["nothing", "sender", "text"]
PREVIEW_LEVELS: tuple[PreviewLevel, ...] = ("nothing", "sender", "text")
Platform = Literal["webpush", "apns", "fcmv1"]

ERASED_NAME = "Deleted user"
MAX_NAME_CHARACTERS = 200
MAX_URL_CHARACTERS = 2_000
MAX_SUBSCRIPTIONS = 20
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose identity is proved, with the profile their proof carries."""

    user_id: UserId
    display_name: str = ""
    avatar_url: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where notifications for one of a user's devices go.

    Args:
        endpoint: The push service's URL for this browser; of an app, its handle at the platform.
        p256dh: The browser's public key, base64url of 65 bytes; an app has none.
        auth: The browser's secret, base64url of 16 bytes; an app has none.
    """

    id: str
    endpoint: str
    p256dh: str = ""
    auth: str = ""
    platform: Platform = "webpush"


@dataclass(frozen=True, slots=True)
class User:
    """A user as chat knows one.

    Args:
        contacts: Fed from the website.
        blocked: Users this one blocks, put here or fed from the website.
        erased: Nothing is kept of this user but the id, and nothing is taken over any more.
        etag: Names the stored state this value was read from; empty for one not stored yet.
    """

    id: UserId
    display_name: str
    avatar_url: str = ""
    contacts: tuple[UserId, ...] = ()
    blocked: tuple[UserId, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    preview: PreviewLevel = "sender"
    erased: bool = False
    etag: str = ""


def proved(subject: UserId, *, name: object = None, picture: object = None) -> Principal:
    """Return *subject* as a proved caller, with what their proof says of them.

    A proof is good whatever the issuer wrote beside its subject: a name or picture that cannot be
    shown is left out, not refused, and a name too long is cut.
    """
    text, address = _valid(name), _valid(picture)
    return Principal(
        subject,
        display_name=display_name(text, fallback=""),
        avatar_url=picture_url(address) if len(address) <= MAX_URL_CHARACTERS else "",
    )


def tombstone(user: User) -> User:
    """Return what is left of *user* after an erasure: the id, and that there is nobody."""
    return User(user.id, ERASED_NAME, preview="nothing", erased=True, etag=user.etag)


def blocks_between(one: User, other: User) -> bool:
    """Tell whether either of the two blocks the other: a block works both ways."""
    return other.id in one.blocked or one.id in other.blocked


def _valid(text: object) -> str:
    return text if isinstance(text, str) and is_unicode(text) else ""


def display_name(text: object, *, fallback: str) -> str:
    """Return *text* as a name to show: one plain line, cut to its limit.

    *fallback* stands in when there is no name, or when nothing of it can be shown.

    Raises:
        InvalidError: It is neither a string nor absent, or not valid Unicode.
    """
    if text is None:
        return fallback
    if not isinstance(text, str) or not is_unicode(text):
        raise InvalidError("displayName: must be a string")
    return plain_line(text)[:MAX_NAME_CHARACTERS].strip() or fallback


def picture_url(text: str) -> str:
    """Return *text* if it is the address of a picture that a page may load; else an empty string.

    Only `https`, and `http` on this machine for the local stack: `javascript:` and `data:`
    addresses would run, or stand for, whatever a page does with them.
    """
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if not host or not is_unicode(text) or not all(map(is_plain, text)):
        return ""
    is_local = parts.scheme == "http" and host in _LOOPBACK
    return text if parts.scheme == "https" or is_local else ""
