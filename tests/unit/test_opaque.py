"""Opaque tokens: what is made of values gives them back, and anything else is refused alike."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triggers.opaque import from_token, to_token

VALUES = st.lists(st.none() | st.booleans() | st.integers() | st.text(max_size=20), max_size=5)


@given(VALUES)
def test_a_token_gives_its_values_back(values: list[object]) -> None:
    assert from_token(to_token(values), longest=10_000) == values


def encoded(content: str) -> str:
    return base64.urlsafe_b64encode(content.encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "%",
        "\ud800",
        "é",
        encoded("{"),
        encoded("5"),
        encoded("null"),
        encoded('{"a": 1}'),
        encoded("[" * 100_000),
        encoded(json.dumps([1]) * 1000),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_token(token, longest=10**6)


def test_a_token_longer_than_any_is_not_read() -> None:
    token = to_token(["x" * 100])

    with pytest.raises(ValueError, match="too long"):
        from_token(token, longest=len(token) - 1)
    assert from_token(token, longest=len(token)) == ["x" * 100]
