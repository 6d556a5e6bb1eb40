"""The rules of stored group memberships, with a clock that the test turns."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.signalr.groups import UserGroups

DAY_S = 24 * 3600


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def groups(tmp_path: Path, clock: Clock) -> Iterator[UserGroups]:
    made = UserGroups(tmp_path, clock)
    yield made
    made.close()


def test_the_oldest_of_101_groups_is_forgotten(groups: UserGroups) -> None:
    for number in range(101):
        groups.add("chat", "ada", f"room-{number}", None)

    kept = groups.list_of("chat", "ada")

    assert set(kept) == {f"room-{number}" for number in range(1, 101)}


def test_adding_again_makes_a_group_the_latest(groups: UserGroups) -> None:
    for number in range(100):
        groups.add("chat", "ada", f"room-{number}", None)

    groups.add("chat", "ada", "room-0", None)
    groups.add("chat", "ada", "room-100", None)

    assert groups.contains("chat", "ada", "room-0")
    assert not groups.contains("chat", "ada", "room-1")


def test_groups_with_a_ttl_do_not_count_among_the_100(groups: UserGroups) -> None:
    for number in range(60):
        groups.add("chat", "ada", f"early-{number}", 60)
    for number in range(101):
        groups.add("chat", "ada", f"room-{number}", None)
    for number in range(60):
        groups.add("chat", "ada", f"late-{number}", 60)

    kept = groups.list_of("chat", "ada")

    assert len(kept) == 60 + 100 + 60
    assert "room-0" not in kept


def test_users_and_hubs_are_counted_apart(groups: UserGroups) -> None:
    groups.add("chat", "ada", "room", None)
    for number in range(100):
        groups.add("chat", "ben", f"room-{number}", None)
        groups.add("news", "ada", f"room-{number}", None)

    kept = groups.list_of("chat", "ada")

    assert kept == ["room"]


def test_a_ttl_ends_a_membership(groups: UserGroups, clock: Clock) -> None:
    groups.add("chat", "ada", "room", 60)

    clock.now += 59
    before = groups.contains("chat", "ada", "room")
    clock.now += 1

    assert before
    assert not groups.contains("chat", "ada", "room")
    assert groups.list_of("chat", "ada") == []


def test_a_membership_without_ttl_ends_after_a_year_unless_renewed(
    groups: UserGroups, clock: Clock
) -> None:
    groups.add("chat", "ada", "old", None)
    groups.add("chat", "ada", "renewed", None)
    clock.now += 364 * DAY_S
    groups.add("chat", "ada", "renewed", None)

    clock.now += DAY_S
    groups.forget_expired()

    assert groups.list_of("chat", "ada") == ["renewed"]


def test_memberships_are_there_after_a_restart(tmp_path: Path) -> None:
    before = UserGroups(tmp_path)
    before.add("chat", "ada", "room", None)
    before.add("chat", "ada", "left", None)
    before.remove("chat", "ada", "left")
    before.close()

    after = UserGroups(tmp_path)
    kept = after.list_of("chat", "ada")
    after.close()

    assert kept == ["room"]
