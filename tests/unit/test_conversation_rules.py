"""Who may join, leave and change a conversation."""

from dataclasses import replace

import pytest

from shared.domain.conversations.access import access_conversation, require_unblocked
from shared.domain.conversations.conversation import (
    MAX_MEMBERS,
    Role,
    add_members,
    remove_member,
    rename,
    set_block,
    start_direct,
    start_group,
    title_of,
)
from shared.domain.errors import (
    BlockedError,
    ConflictError,
    ConversationFullError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from shared.domain.ids import SequenceNumber, UserId
from tests.unit.things import ANN, BOB, CAT, DAN, GROUP, NOON, PAIR, group, member, pair

CROWD = [UserId(f"user-{n}") for n in range(MAX_MEMBERS)]


def test_a_direct_conversation_has_two_equal_members_who_see_it_from_its_start() -> None:
    started = start_direct(PAIR, caller=ANN, other=BOB, now=NOON)

    assert started.member_ids == (ANN, BOB)
    assert [one.role for one in started.members] == ["member", "member"]
    assert [one.history_from for one in started.members] == [1, 1]
    assert started.others(ANN) == (BOB,)


def test_a_group_is_owned_by_its_starter_and_counts_each_user_once() -> None:
    started = start_group(GROUP, caller=ANN, others=[BOB, ANN, BOB, CAT], title="Trip", now=NOON)

    assert [(one.user_id, one.role) for one in started.members] == [
        (ANN, "owner"),
        (BOB, "member"),
        (CAT, "member"),
    ]
    assert started.version == 1


def test_a_group_starts_with_a_hundred_members_and_not_with_one_more() -> None:
    full = start_group(GROUP, caller=ANN, others=CROWD[:-1], title="", now=NOON)

    assert len(full.members) == MAX_MEMBERS
    with pytest.raises(ConversationFullError):
        start_group(GROUP, caller=ANN, others=CROWD, title="", now=NOON)


def test_a_new_title_makes_a_new_version() -> None:
    before = group()

    after = rename(before, by=before.members[1], title="Lake")

    assert (after.title, after.version) == ("Lake", 2)


def test_the_same_title_changes_nothing() -> None:
    before = group(title="Trip")

    assert rename(before, by=before.members[0], title="Trip") is before


def test_only_owner_and_admin_rename_and_add() -> None:
    conversation = group()
    plain = conversation.members[2]

    with pytest.raises(ForbiddenError):
        rename(conversation, by=plain, title="Lake")
    with pytest.raises(ForbiddenError):
        add_members(conversation, by=plain, users=[DAN], latest=SequenceNumber(0), now=NOON)


def test_a_direct_conversation_keeps_its_members_and_has_no_title() -> None:
    conversation = pair()
    by = conversation.members[0]

    with pytest.raises(ForbiddenError):
        rename(conversation, by=by, title="Us")
    with pytest.raises(ForbiddenError):
        add_members(conversation, by=by, users=[CAT], latest=SequenceNumber(0), now=NOON)
    with pytest.raises(ForbiddenError):
        remove_member(conversation, by=by, user_id=ANN)


def test_a_newcomer_sees_what_is_written_from_now_on() -> None:
    before = group()

    after = add_members(
        before, by=before.members[0], users=[DAN], latest=SequenceNumber(41), now=NOON
    )

    newcomer = after.find_member(DAN)
    assert newcomer == member(DAN, history_from=42)
    assert after.version == 2


def test_adding_who_is_there_changes_nothing() -> None:
    before = group()

    after = add_members(
        before, by=before.members[0], users=[BOB], latest=SequenceNumber(9), now=NOON
    )

    assert after is before


def test_the_hundred_and_first_member_does_not_get_in() -> None:
    full = group(member(ANN, "owner"), *(member(user) for user in CROWD[:-2]))
    by = full.members[0]

    filled = add_members(full, by=by, users=[DAN, DAN], latest=SequenceNumber(0), now=NOON)

    assert len(filled.members) == MAX_MEMBERS
    with pytest.raises(ConversationFullError):
        add_members(full, by=by, users=[BOB, DAN], latest=SequenceNumber(0), now=NOON)


def test_a_returning_member_is_no_longer_among_those_who_left() -> None:
    before = group()
    by = before.members[0]
    without = remove_member(before, by=by, user_id=CAT)

    after = add_members(without, by=by, users=[CAT], latest=SequenceNumber(7), now=NOON)

    assert without.left == (CAT,)
    assert after.left == ()
    assert after.find_member(CAT) == member(CAT, history_from=8)


@pytest.mark.parametrize(
    ("by", "whom", "may"),
    [
        ("owner", "owner", True),
        ("owner", "admin", True),
        ("owner", "member", True),
        ("admin", "owner", False),
        ("admin", "admin", False),
        ("admin", "member", True),
        ("member", "owner", False),
        ("member", "admin", False),
        ("member", "member", False),
    ],
)
def test_who_may_remove_whom(by: Role, whom: Role, may: bool) -> None:
    conversation = group(member(ANN, by), member(BOB, whom))

    if may:
        after = remove_member(conversation, by=conversation.members[0], user_id=BOB)
        assert after.member_ids == (ANN,)
    else:
        with pytest.raises(ForbiddenError):
            remove_member(conversation, by=conversation.members[0], user_id=BOB)


@pytest.mark.parametrize("role", ["owner", "admin", "member"])
def test_everyone_may_leave(role: Role) -> None:
    conversation = group(member(ANN, "owner"), member(BOB, role))

    after = remove_member(conversation, by=conversation.members[1], user_id=BOB)

    assert after.member_ids == (ANN,)
    assert (after.left, after.version) == ((BOB,), 2)


def test_removing_a_stranger_finds_no_such_member() -> None:
    conversation = group()

    with pytest.raises(NotFoundError):
        remove_member(conversation, by=conversation.members[0], user_id=DAN)


@pytest.mark.parametrize(
    ("staying", "heir"),
    [
        ((member(BOB), member(CAT, "admin")), CAT),
        ((member(BOB), member(CAT)), BOB),
        ((member(BOB), member(CAT, "owner")), CAT),
    ],
)
def test_a_group_never_loses_its_last_owner(staying: tuple[object, ...], heir: UserId) -> None:
    conversation = group(member(ANN, "owner"), *staying)  # type: ignore[arg-type]

    after = remove_member(conversation, by=conversation.members[0], user_id=ANN)

    assert [one.user_id for one in after.members if one.role == "owner"] == [heir]


def test_the_last_member_leaves_an_empty_group() -> None:
    conversation = group(member(ANN, "owner"))

    after = remove_member(conversation, by=conversation.members[0], user_id=ANN)

    assert after.members == ()


def test_only_the_latest_leavers_are_remembered() -> None:
    conversation = group(member(ANN, "owner"), *(member(user) for user in CROWD[:60]))

    for user in CROWD[:60]:
        conversation = remove_member(conversation, by=conversation.members[0], user_id=user)

    assert conversation.left == tuple(CROWD[10:60])


def test_a_block_stands_until_its_own_side_lifts_it() -> None:
    blocked = set_block(set_block(pair(), by=ANN, blocked=True), by=BOB, blocked=True)

    lifted = set_block(blocked, by=ANN, blocked=False)

    assert blocked.blocked_by == (ANN, BOB)
    assert (lifted.blocked_by, lifted.version) == ((BOB,), 4)


@pytest.mark.parametrize("blocked", [True, False])
def test_a_block_that_stands_so_already_changes_nothing(blocked: bool) -> None:
    before = pair(blocked_by=(ANN,) if blocked else ())

    assert set_block(before, by=ANN, blocked=blocked) is before


def test_a_group_is_not_blocked() -> None:
    with pytest.raises(ConflictError):
        set_block(group(), by=ANN, blocked=True)


def test_neither_side_writes_over_a_block() -> None:
    require_unblocked(pair())

    with pytest.raises(BlockedError):
        require_unblocked(pair(blocked_by=(BOB,)))


def test_a_title_is_trimmed() -> None:
    assert title_of("  Trip \n") == "Trip"
    assert title_of("x" * 200) == "x" * 200


@pytest.mark.parametrize("text", [None, 7, True, ["Trip"], {"a": 1}, "x" * 201, "half \ud83d"])
def test_what_is_no_title_is_refused(text: object) -> None:
    with pytest.raises(InvalidError, match="title"):
        title_of(text)


def test_a_member_gets_in() -> None:
    conversation = group()

    assert access_conversation(conversation, BOB) == (conversation, conversation.members[1])


def test_a_stranger_cannot_tell_a_conversation_from_none() -> None:
    refusals = []
    for conversation in (None, group(), replace(group(), members=())):
        with pytest.raises(NotFoundError) as refused:
            access_conversation(conversation, DAN)
        refusals.append((refused.value.code, refused.value.detail))

    assert len(set(refusals)) == 1
