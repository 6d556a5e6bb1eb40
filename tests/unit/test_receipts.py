"""Watermarks: merged by maximum, never past the end, never back."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import InvalidError, SequenceOutOfRangeError
from shared.domain.ids import SequenceNumber
from shared.domain.messages.receipt import Receipt, check_acknowledgement, merge, unread_count
from tests.unit.things import BOB, GROUP, NOON, receipt

sequences = st.integers(0, 20).map(SequenceNumber)
times = st.none() | st.integers(0, 5).map(lambda minutes: NOON + timedelta(minutes=minutes))


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    read, more = draw(sequences), draw(sequences)
    return Receipt(GROUP, BOB, SequenceNumber(read + more), read, draw(times))


@given(receipts(), receipts())
def test_the_order_of_two_states_does_not_matter(one: Receipt, other: Receipt) -> None:
    assert merge(one, other) == merge(other, one)


@given(receipts(), receipts(), receipts())
def test_the_grouping_of_three_states_does_not_matter(a: Receipt, b: Receipt, c: Receipt) -> None:
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(receipts(), receipts())
def test_a_repeat_changes_nothing(one: Receipt, other: Receipt) -> None:
    assert merge(one, one) == one
    assert merge(merge(one, other), other) == merge(one, other)


@given(receipts(), receipts())
def test_no_watermark_moves_back(one: Receipt, other: Receipt) -> None:
    merged = merge(one, other)

    assert merged.read == max(one.read, other.read)
    assert merged.delivered >= max(one.delivered, other.delivered, merged.read)


def test_reading_implies_delivery() -> None:
    merged = merge(receipt(delivered=3, read=1), receipt(read=7))

    assert (merged.delivered, merged.read) == (7, 7)


@pytest.mark.parametrize(("delivered", "read"), [(9, None), (None, 9), (9, 9), (0, None)])
def test_what_is_there_may_be_acknowledged(delivered: int | None, read: int | None) -> None:
    check_acknowledgement(
        None if delivered is None else SequenceNumber(delivered),
        None if read is None else SequenceNumber(read),
        latest=SequenceNumber(9),
    )


@pytest.mark.parametrize(("delivered", "read"), [(10, None), (None, 10), (3, 10), (10, 3)])
def test_what_is_not_there_cannot_be_acknowledged(delivered: int | None, read: int | None) -> None:
    with pytest.raises(SequenceOutOfRangeError) as refused:
        check_acknowledgement(
            None if delivered is None else SequenceNumber(delivered),
            None if read is None else SequenceNumber(read),
            latest=SequenceNumber(9),
        )

    assert (refused.value.up_to, refused.value.latest) == (10, 9)


def test_an_acknowledgement_acknowledges_something() -> None:
    with pytest.raises(InvalidError, match="delivered"):
        check_acknowledgement(None, None, latest=SequenceNumber(9))


@pytest.mark.parametrize(
    ("latest", "read", "history_from", "unread"),
    [(0, 0, 1, 0), (9, 0, 1, 9), (9, 4, 1, 5), (9, 9, 1, 0), (9, 0, 7, 3), (9, 8, 7, 1)],
)
def test_unread_is_a_subtraction(latest: int, read: int, history_from: int, unread: int) -> None:
    counted = unread_count(
        latest=SequenceNumber(latest),
        read=SequenceNumber(read),
        history_from=SequenceNumber(history_from),
    )

    assert counted == unread


@given(sequences, sequences, sequences)
def test_unread_is_never_negative(
    latest: SequenceNumber, read: SequenceNumber, first: SequenceNumber
) -> None:
    assert unread_count(latest=latest, read=read, history_from=first) >= 0
