"""Opaque tokens: places in a list that a client hands back as it got them."""

import base64
import json
from collections.abc import Sequence
from typing import Any


def to_token(values: Sequence[Any]) -> str:
    """Return *values* as a URL-safe string that means nothing to a client."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def from_token(token: str, *, longest: int) -> list[Any]:
    """Return the values of a token, which anybody may have written: check each of them.

    Args:
        longest: The most characters that a token of this kind has.

    Raises:
        ValueError: *token* is longer, or `to_token` never made it.
    """
    if len(token) > longest:
        raise ValueError("too long")
    try:
        values = json.loads(base64.urlsafe_b64decode(token.encode()))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(values, list):
        raise ValueError("no list")  # noqa: TRY004  # for callers it is one fault: no such token
    return values
