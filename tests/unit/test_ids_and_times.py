"""Identifiers, names and times: what may stand in one."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import InvalidError
from shared.domain.ids import (
    UserId,
    attachment_id,
    client_message_id,
    direct_conversation_id,
    group_conversation_id,
    is_attachment_id,
    is_conversation_id,
    user_id,
)
from shared.domain.people.presence import unknown
from shared.domain.people.user import User, blocks_between, display_name
from shared.domain.times import from_ms, optional_from_ms, to_ms
from tests.unit.things import ANN, BOB, NOON

HOSTILE = [None, 1, True, 1.5, float("nan"), b"ann", ["ann"], {"ann": 1}, "", "half \ud83d", "a\n"]
user_ids = (
    st.text("abcXYZ019._:@-", min_size=1, max_size=128)
    .filter(lambda text: any(one.isalnum() for one in text))
    .map(UserId)
)


@given(user_ids)
def test_a_principal_of_the_website_is_taken_as_it_is(text: UserId) -> None:
    assert user_id(text, field="userId") == text


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE,
        ".",
        "..",
        ":-@",
        "_" * 128,
        "a b",
        "ann/bob",
        "änn",
        "a" * 129,
        "ann\n",
        "a,b",
        "٣",
    ],
)
def test_what_is_no_principal_is_refused_by_the_name_of_its_field(text: object) -> None:
    with pytest.raises(InvalidError, match="memberIds"):
        user_id(text, field="memberIds")


def test_one_uuid_has_one_spelling() -> None:
    upper = "0B1F6A2E-5D3C-4E8A-9F00-AABBCCDDEEFF"

    assert client_message_id(upper) == client_message_id(upper.lower()) == upper.lower()


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE,
        "0b1f6a2e5d3c4e8a9f00aabbccddeeff",
        "{0b1f6a2e-5d3c-4e8a-9f00-aabbccddeeff}",
        "0b1f6a2e-5d3c-4e8a-9f00-aabbccddeeff\n",
        "0b1f6a2e-5d3c-4e8a-9f00-aabbccddeefg",
    ],
)
def test_what_is_no_uuid_is_refused(text: object) -> None:
    with pytest.raises(InvalidError, match="clientMessageId"):
        client_message_id(text)


@given(user_ids, user_ids)
def test_a_pair_has_one_conversation_whoever_asks(one: UserId, other: UserId) -> None:
    here = direct_conversation_id(one, other)

    assert here == direct_conversation_id(other, one)
    assert is_conversation_id(here)


@given(st.lists(user_ids, min_size=3, max_size=3, unique=True))
def test_different_pairs_have_different_conversations(users: list[UserId]) -> None:
    one, other, third = users

    assert direct_conversation_id(one, other) != direct_conversation_id(one, third)


@given(st.uuids())
def test_made_ids_are_known_as_such(seed: uuid.UUID) -> None:
    assert is_conversation_id(group_conversation_id(seed))
    assert is_attachment_id(attachment_id(seed))


@pytest.mark.parametrize(
    "text", [*HOSTILE, "g-1", "x-" + "1" * 32, "g-" + "A" * 32, "../etc/passwd"]
)
def test_other_texts_are_no_ids(text: object) -> None:
    assert not is_conversation_id(text)
    assert not is_attachment_id(text)


@given(st.integers(0, 253_402_300_799_999))
def test_a_time_survives_its_way_to_milliseconds_and_back(ms: int) -> None:
    assert to_ms(from_ms(ms)) == ms


def test_no_time_is_none() -> None:
    assert optional_from_ms(None) is None
    assert optional_from_ms(0) is None
    assert optional_from_ms(to_ms(NOON)) == NOON


@pytest.mark.parametrize("text", [None, ""])
def test_a_user_without_a_name_is_called_by_their_id(text: str | None) -> None:
    assert display_name(text, fallback="ann") == "ann"


def test_a_name_is_cut_to_its_limit() -> None:
    assert display_name("Ann", fallback="ann") == "Ann"
    assert display_name("x" * 201, fallback="ann") == "x" * 200


@pytest.mark.parametrize("text", [1, True, ["Ann"], {"a": 1}, "half \ud83d"])
def test_what_is_no_name_is_refused(text: object) -> None:
    with pytest.raises(InvalidError, match="displayName"):
        display_name(text, fallback="ann")


def test_a_block_works_both_ways() -> None:
    ann, bob = User(ANN, "Ann", blocked=(BOB,)), User(BOB, "Bob")

    assert blocks_between(ann, bob)
    assert blocks_between(bob, ann)
    assert not blocks_between(User(ANN, "Ann"), bob)


def test_an_unknown_user_is_offline_and_was_never_seen() -> None:
    assert (unknown(ANN).status, unknown(ANN).last_seen_at) == ("offline", None)
