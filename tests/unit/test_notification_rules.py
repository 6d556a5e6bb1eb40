"""Whom to notify, and what a notification may say."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.conversations.conversation import Conversation
from shared.domain.conversations.group_memberships import (
    REMEMBERED,
    RENEWED_AFTER,
    GroupMembership,
    plan,
)
from shared.domain.conversations.mute import Mute
from shared.domain.ids import ConversationId, UserId
from shared.domain.people.notification import (
    MAX_PREVIEW_CHARACTERS,
    absentees,
    compose,
    without_muted,
)
from tests.unit.things import (
    ANN,
    BOB,
    CAT,
    NOON,
    attachment,
    group,
    member,
    message,
    pair,
    receipt,
)

LATER = NOON + timedelta(minutes=1)


def waiting(conversation: Conversation, *sequences: int, **delivered: int) -> tuple[UserId, ...]:
    """Return who is to be notified of what ann wrote."""
    receipts = [receipt(UserId(user), delivered=up_to) for user, up_to in delivered.items()]
    return absentees(conversation, [message(n) for n in sequences], receipts)


def test_who_has_not_acknowledged_is_notified() -> None:
    assert waiting(group(), 7, 8, bob=7, cat=8) == (BOB,)


def test_who_never_acknowledged_anything_is_notified() -> None:
    assert waiting(group(), 1) == (BOB, CAT)


def test_nobody_is_notified_of_nothing() -> None:
    assert waiting(group()) == ()


def test_the_sender_is_notified_of_what_others_wrote_only() -> None:
    both = [message(1, sender=ANN), message(2, sender=BOB)]

    assert absentees(pair(), both, []) == (ANN, BOB)
    assert absentees(pair(), both, [receipt(BOB, delivered=1)]) == (ANN,)


def test_a_member_is_not_notified_of_what_they_may_not_see() -> None:
    conversation = group(member(ANN, "owner"), member(BOB, history_from=6))

    assert waiting(conversation, 4, 5) == ()
    assert waiting(conversation, 5, 6) == (BOB,)


def test_a_block_silences_both() -> None:
    assert waiting(pair(blocked_by=(BOB,)), 1) == ()


@pytest.mark.parametrize(("until", "told"), [(None, [BOB]), (NOON, [BOB]), (LATER, [])])
def test_a_muted_conversation_is_silent_until_its_time(
    until: datetime | None, told: list[UserId]
) -> None:
    of_old = group(member(ANN, "owner"), replace(member(BOB), muted_until=until))
    otherwise = group(member(BOB, muted=None if told == [] else LATER))

    assert waiting(of_old, 1) == (BOB,)
    assert without_muted([BOB], of_old, {}, now=NOON) == told
    assert without_muted([BOB], otherwise, {BOB: Mute(until, 1)}, now=NOON) == told


@given(
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from([ANN, BOB, CAT])), max_size=6),
    st.dictionaries(st.sampled_from([ANN, BOB, CAT]), st.integers(0, 9)),
)
def test_exactly_those_lack_something_who_are_notified(
    written: list[tuple[int, UserId]], delivered: dict[UserId, int]
) -> None:
    messages = [message(n, sender=user) for n, user in dict(written).items()]
    receipts = [receipt(user, delivered=n) for user, n in delivered.items()]

    told = absentees(group(), messages, receipts)

    for user in (ANN, BOB, CAT):
        lacks = any(
            one.sender_id != user and one.sequence > delivered.get(user, 0) for one in messages
        )
        assert (user in told) == lacks


@pytest.mark.parametrize(
    ("preview", "unseen", "title", "body"),
    [
        ("nothing", 3, "Parley", "You have new messages"),
        ("sender", 1, "Ann in Trip", "New message"),
        ("sender", 3, "Ann in Trip", "3 new messages"),
        ("text", 3, "Ann in Trip", "see you"),
    ],
)
def test_a_notification_tells_no_more_than_was_chosen(
    preview: str, unseen: int, title: str, body: str
) -> None:
    shown = compose(
        message(7, body="see\n  you"),
        group(title="Trip"),
        sender_name="Ann",
        unseen_count=unseen,
        preview=preview,  # type: ignore[arg-type]
    )

    assert (shown.title, shown.body) == (title, body)
    assert (shown.conversation_id, shown.sequence, shown.tag) == (group().id, 7, group().id)


def test_without_a_title_the_sender_stands_alone() -> None:
    shown = compose(message(), pair(), sender_name="Ann", unseen_count=1, preview="sender")

    assert shown.title == "Ann"


@pytest.mark.parametrize(
    ("body", "files", "excerpt"),
    [
        ("x" * MAX_PREVIEW_CHARACTERS, 0, "x" * MAX_PREVIEW_CHARACTERS),
        ("x" * (MAX_PREVIEW_CHARACTERS + 1), 0, "x" * (MAX_PREVIEW_CHARACTERS - 1) + "…"),
        ("", 1, "Sent a file"),
        (" ", 2, "Sent files"),
        ("look", 2, "look"),
    ],
)
def test_an_excerpt_is_short(body: str, files: int, excerpt: str) -> None:
    said = message(body=body, attachments=tuple(attachment(n) for n in range(files)))

    shown = compose(said, group(), sender_name="Ann", unseen_count=1, preview="text")

    assert shown.body == excerpt


def group_memberships(count: int, *, age: timedelta = timedelta(0)) -> list[GroupMembership]:
    return [
        GroupMembership(ConversationId(f"g-{n:032x}"), NOON - age - timedelta(minutes=n))
        for n in range(count)
    ]


def test_a_user_of_few_groups_needs_nothing() -> None:
    planned = plan(group_memberships(REMEMBERED), now=NOON)

    assert (planned.join, planned.renew) == ((), ())


def test_a_connection_joins_the_groups_that_the_service_has_forgotten() -> None:
    taken = group_memberships(REMEMBERED + 2)

    planned = plan(reversed(taken), now=NOON)

    assert planned.join == tuple(one.conversation_id for one in taken[REMEMBERED:])
    assert planned.renew == ()


def test_a_group_membership_that_nears_its_year_is_renewed() -> None:
    old = group_memberships(2, age=RENEWED_AFTER)

    planned = plan([*group_memberships(1), *old], now=NOON)

    assert planned.renew == (old[1].conversation_id,)
