"""Users as the website sends them: posted, or as changed rows of its table."""

import json
from typing import Any, Final

from shared.domain.errors import InvalidError
from shared.domain.ids import user_id
from shared.domain.people.user import MAX_URL_CHARACTERS, display_name, picture_url
from shared.services.people.accounts import Profile
from triggers import decode
from triggers.decode import Fields

_MOST_USERS: Final = 100
_MOST_CONTACTS: Final = 5_000
_DELETED: Final = 2  # the SQL trigger's operations: 0 insert, 1 update, 2 delete


def posted(body: bytes) -> list[Profile]:
    """Return the users of {items: [...]}.

    Raises:
        InvalidError: There are more than 100 users, or a field of one is wrong.
    """
    items = decode.json_object(body).get("items")
    if not isinstance(items, list) or len(items) > _MOST_USERS:
        raise InvalidError(f"items: must be a list of at most {_MOST_USERS} users")
    return [profile(item) for item in items]


def changed(text: str) -> list[Profile]:
    """Return the users of the SQL trigger's rows; a deleted user keeps what was written."""
    rows = json.loads(text)
    live = [row["Item"] for row in rows if row.get("Operation") != _DELETED]
    return [profile(_unpacked(item)) for item in live]


def profile(value: object) -> Profile:
    """Return one user as the website describes them.

    Raises:
        InvalidError: A field is missing or of the wrong kind.
    """
    fields = decode.as_object(value, field="items")
    identifier = user_id(fields.get("userId"), field="userId")
    return Profile(
        identifier,
        display_name(fields.get("displayName"), fallback=identifier),
        picture_url(decode.text(fields, "avatarUrl", longest=MAX_URL_CHARACTERS, default="")),
        contacts=_ids(fields, "contacts"),
        blocked=_ids(fields, "blocked"),
    )


def _ids(fields: Fields, name: str) -> tuple[Any, ...]:
    return tuple(decode.user_ids(fields.get(name, []), field=name, most=_MOST_CONTACTS))


def _unpacked(item: dict[str, Any]) -> dict[str, Any]:
    # SQL has no lists: contacts and blocks come as JSON text, names in the table's own case.
    fields = {name[:1].lower() + name[1:]: value for name, value in item.items()}
    for name in ("contacts", "blocked"):
        if isinstance(fields.get(name), str):
            fields[name] = json.loads(fields[name])
    return {name: value for name, value in fields.items() if value is not None}
