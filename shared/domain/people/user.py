"""What chat keeps of a user of the website: a read model of the account, not the account."""

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
    """A caller whose identity is proved, with the profile that the proof carries."""

    user_id: UserId
    display_name: str = ""
    avatar_url: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where notifications for one of a user's devices go.

    Args:
        endpoint: The push service's URL for this browser; for an app, its handle at the platform.
        p256dh: The browser's public key, base64url of 65 bytes; empty for an app.
        auth: The browser's secret, base64url of 16 bytes; empty for an app.
    """

    id: str
    endpoint: str
    p256dh: str = ""
    auth: str = ""
    platform: Platform = "webpush"


@dataclass(frozen=True, slots=True)
class User:
    """A user as chat knows them.

    Args:
        contacts: Fed by the website.
        blocked: The users whom this user blocks, by a call or by the website's feed.
        erased: Only the id is kept of this user, and later feeds change nothing.
        etag: Names the stored state that this value was read from; empty for a new user.
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
    """Return *subject* as a proved caller, with the profile that the proof carries.

    A proof is valid whatever the issuer wrote beside its subject: a name or picture that cannot be
    shown is left out, and a name that is too long is cut.
    """
    text, address = _valid(name), _valid(picture)
    return Principal(
        subject,
        display_name=display_name(text, fallback=""),
        avatar_url=picture_url(address) if len(address) <= MAX_URL_CHARACTERS else "",
    )


def tombstone(user: User) -> User:
    """Return what is left of *user* after an erasure: the id, and that the user is erased."""
    return User(user.id, ERASED_NAME, preview="nothing", erased=True, etag=user.etag)


def blocks_between(one: User, other: User) -> bool:
    """Tell whether either of the two blocks the other: a block works both ways."""
    return other.id in one.blocked or one.id in other.blocked


def _valid(text: object) -> str:
    return text if isinstance(text, str) and is_unicode(text) else ""


def display_name(text: object, *, fallback: str) -> str:
    """Return *text* as a name to show: one plain line, cut to 200 characters.

    Args:
        fallback: Shown when there is no name, or when no character of the name can be shown.

    Raises:
        InvalidError: *text* is neither a string nor None, or is not valid Unicode.
    """
    if text is None:
        return fallback
    if not isinstance(text, str) or not is_unicode(text):
        raise InvalidError("displayName: must be a string")
    return plain_line(text)[:MAX_NAME_CHARACTERS].strip() or fallback


def picture_url(text: str) -> str:
    """Return *text* if it is the address of a picture that a page may load; else an empty string.

    Only `https` is allowed, and `http` on this machine for the local stack. A `javascript:` address
    would run in the page, and a `data:` address could hold anything.
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
