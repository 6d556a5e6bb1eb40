"""Read the fields of a request, or refuse it by the field's name."""

import json
import re
from collections.abc import Mapping

from aiohttp import web

from local.site.problems import InvalidError, ProblemError

_LIMIT_BYTES = 64 * 1024
# Source: docs/protocol.md, the ids of users.
_PRINCIPAL = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9._:@-]{1,128}")
_NAME_LIMIT = 100
_MOST_IDS = 200


async def read_object(request: web.Request) -> Mapping[str, object]:
    """Return the request's body, which must be one JSON object of at most 64 KB.

    Raises:
        ProblemError: 400 for what is no JSON object, 413 for a larger body.

    """
    raw = await request.content.read(_LIMIT_BYTES + 1)
    while len(raw) <= _LIMIT_BYTES and (more := await request.content.read(_LIMIT_BYTES)):
        raw += more
    if len(raw) > _LIMIT_BYTES:
        raise ProblemError(413, f"the body is larger than {_LIMIT_BYTES} bytes")
    try:
        value = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidError("body", "must be JSON") from error
    if not isinstance(value, dict):
        raise InvalidError("body", "must be a JSON object")
    return value


def user_id(value: object, field: str = "userId") -> str:
    """Return *value* if it is a user id as docs/protocol.md describes it.

    Raises:
        InvalidError: It is not.

    """
    if not isinstance(value, str) or not _PRINCIPAL.fullmatch(value):
        raise InvalidError(
            field, "must be 1 to 128 characters of A-Z a-z 0-9 . _ : @ -, with a letter or digit"
        )
    return value


def optional_name(value: object) -> str | None:
    """Return *value* if it is a display name or None.

    Raises:
        InvalidError: It is neither.

    """
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > _NAME_LIMIT:
        raise InvalidError("name", f"must be 1 to {_NAME_LIMIT} characters")
    if not value.isprintable():
        raise InvalidError("name", "must hold no control characters")
    return value.strip()


def search_words(value: str) -> str:
    """Return *value* if it is something to search people by.

    Raises:
        InvalidError: It is not.

    """
    words = value.strip()
    if not 1 <= len(words) <= _NAME_LIMIT or not words.isprintable():
        raise InvalidError("search", f"must be 1 to {_NAME_LIMIT} printable characters")
    return words


def user_ids(value: str) -> list[str]:
    """Return the user ids of a list with commas.

    Raises:
        InvalidError: One of them is not a valid id, or there are too many.

    """
    items = list(dict.fromkeys(value.split(",")))
    if len(items) > _MOST_IDS:
        raise InvalidError("userIds", f"must be at most {_MOST_IDS} user ids")
    return [user_id(item, "userIds") for item in items]


def integer(value: object, field: str, low: int, high: int) -> int:
    """Return *value* if it is a whole number from *low* to *high*.

    Raises:
        InvalidError: It is not.

    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidError(field, f"must be a whole number from {low} to {high}")
    return value


def _refuse_constant(name: str) -> object:
    sentence = f"{name} is not JSON"
    raise ValueError(sentence)
