"""What may stand in a message, where it is stored, and what its sender sees of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.conversations.catchup import gap_after
from shared.domain.errors import InvalidError, TooLargeError
from shared.domain.ids import SequenceNumber
from shared.domain.messages.message import (
    MAX_BODY_CHARACTERS,
    Status,
    bucket_of,
    check_body,
    status_of,
)
from tests.unit.things import ANN, BOB, CAT, message, receipt


@pytest.mark.parametrize("body", ["x", " x ", "x" * MAX_BODY_CHARACTERS, "\U0001f600" * 8_000])
def test_a_body_is_kept_as_it_is(body: str) -> None:
    assert check_body(body, attachment_count=0) == body


def test_a_body_may_be_empty_beside_a_file() -> None:
    assert check_body("", attachment_count=1) == ""


@pytest.mark.parametrize("body", [None, 1, True, ["x"], {"x": 1}, b"x", "", " \n", "half \udc00"])
def test_what_is_no_body_is_refused(body: object) -> None:
    with pytest.raises(InvalidError, match="body"):
        check_body(body, attachment_count=0)


def test_one_character_too_many_is_too_large() -> None:
    with pytest.raises(TooLargeError, match="body"):
        check_body("x" * (MAX_BODY_CHARACTERS + 1), attachment_count=1)


@pytest.mark.parametrize(
    ("sequence", "bucket"), [(1, 0), (5_000, 0), (5_001, 1), (10_000, 1), (10_001, 2)]
)
def test_a_bucket_holds_its_size_of_sequences(sequence: int, bucket: int) -> None:
    assert bucket_of(SequenceNumber(sequence), size=5_000) == bucket


@given(st.integers(1, 1_000), st.integers(1, 7))
def test_buckets_are_filled_one_after_another(sequence: int, size: int) -> None:
    here = bucket_of(SequenceNumber(sequence), size=size)
    following = bucket_of(SequenceNumber(sequence + 1), size=size)

    assert following == here + (sequence % size == 0)


@pytest.mark.parametrize(
    ("bob", "cat", "status"),
    [
        ((0, 0), (0, 0), "sent"),
        ((7, 7), (6, 6), "sent"),
        ((7, 0), (9, 9), "delivered"),
        ((7, 7), (9, 7), "read"),
    ],
)
def test_the_sender_sees_the_least_that_all_others_did(
    bob: tuple[int, int], cat: tuple[int, int], status: Status
) -> None:
    receipts = [
        receipt(ANN, delivered=0, read=0),
        receipt(BOB, delivered=bob[0], read=bob[1]),
        receipt(CAT, delivered=cat[0], read=cat[1]),
    ]

    assert status_of(message(7, sender=ANN), receipts) == status


def test_alone_a_message_stays_sent() -> None:
    assert status_of(message(1), [receipt(ANN, delivered=1, read=1)]) == "sent"


def test_a_client_at_the_end_lacks_nothing() -> None:
    gap = gap_after(
        SequenceNumber(9), latest=SequenceNumber(9), history_from=SequenceNumber(1), limit=50
    )

    assert not gap
    assert gap.complete


@given(
    st.integers(0, 30).map(SequenceNumber),
    st.integers(0, 30).map(SequenceNumber),
    st.integers(1, 31).map(SequenceNumber),
    st.integers(1, 10),
)
def test_a_gap_is_filled_fully_or_says_so(
    position: SequenceNumber, latest: SequenceNumber, history_from: SequenceNumber, limit: int
) -> None:
    lacking = [n for n in range(position + 1, latest + 1) if n >= history_from]

    gap = gap_after(position, latest=latest, history_from=history_from, limit=limit)

    sent = list(range(gap.first, gap.last + 1))
    assert sent == lacking[-limit:]
    assert bool(gap) == bool(lacking)
    assert gap.complete == (len(lacking) <= limit)
