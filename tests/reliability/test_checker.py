"""The checker passes what is right, and finds each way in which it can be wrong."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reliability.checker import check
from tests.reliability.history import (
    Acknowledged,
    Attempt,
    Confirmed,
    Event,
    Fault,
    FileLook,
    Heard,
    History,
    Holds,
    Inbox,
    Left,
    Member,
    Notified,
    Presence,
    Receipts,
    Refused,
    Remains,
    Right,
    Said,
    Stored,
    Watermark,
    from_line,
    to_line,
)
from tests.reliability.shortest import explain, shortest

PEOPLE = ("ann", "bob", "cleo")
AWAY = "dan"
MOVER = "eve"
PLACE = "d-1"
OTHER = "d-2"


def right(chance: random.Random, count: int) -> History:
    """Return a history in which all went well: three people talk, a fourth is away."""
    history: History = [Member(0, who, PLACE) for who in (*PEOPLE, AWAY)]
    pairs: list[tuple[int, str]] = []
    for sequence in range(1, count + 1):
        who, id_ = chance.choice(PEOPLE), f"m{sequence}"
        history += [
            Said(sequence, who, PLACE, id_),
            Acknowledged(sequence, who, PLACE, id_, sequence),
            *(Heard(sequence, other, PLACE, who, id_, sequence) for other in PEOPLE),
            Confirmed(sequence, chance.choice(PEOPLE), PLACE, sequence, 0),
            Notified(sequence, AWAY, PLACE, id_),
        ]
        pairs.append((sequence, id_))
    said = [event for event in history if isinstance(event, Said)]
    history += [
        Stored(count, PLACE, one.who, one.id, sequence, sent_at=sequence)
        for sequence, one in enumerate(said, start=1)
    ]
    for who in PEOPLE:
        history += [
            Holds(count, who, PLACE, "shown", tuple(pairs)),
            Watermark(count + 1, who, PLACE, count, 0),
            Presence(count, who, "online", "online"),
            Left(count, who, 0),
        ]
    history.append(Presence(count, AWAY, "offline", "offline"))
    return [*_other_place(), *history, *_beside(count), *_inboxes(count)]


def _beside(count: int) -> History:
    """Return what a member who comes and goes saw, and a file, all as it should be."""
    steps = {100: "granted", 200: "taking", 210: "taken", 300: "granting", 310: "granted"}
    tried = {150: 200, 205: 404, 250: 404, 295: 200, 320: 200}
    return [
        *(Right(at, MOVER, PLACE, "member", step) for at, step in steps.items()),
        *(Attempt(at, at + 9, MOVER, PLACE, "member", "GET", s) for at, s in tried.items()),
        Receipts(count, count, "ann", PLACE, count, 0, count),
        FileLook(400, "ann", PLACE, "m1", 1, readable=True),
    ]


def _other_place() -> History:
    return [
        *(Said(9, "ann", OTHER, "o1"), Acknowledged(9, "ann", OTHER, "o1", 1)),
        Stored(400, OTHER, "ann", "o1", 1, sent_at=0),
        Stored(400, OTHER, "", "joined", 2, sent_at=0, system=True),
    ]


def _inboxes(count: int) -> History:
    rows = ((PLACE, count, count - 1, count, 1), (OTHER, 2, 0, 2, 2))
    early = ((PLACE, 1, 1, 0, 0),)
    return [Inbox(400, 400, "ann", True, rows), Inbox(50, 50, "ann", False, early)]


def without(history: History, unwanted: Event) -> History:
    return [event for event in history if event is not unwanted]


def changed(history: History, event: Event, **fields: Any) -> History:
    return [replace(one, **fields) if one is event else one for one in history]


def last(history: History, kind: type[Event]) -> Any:
    return [event for event in history if isinstance(event, kind)][-1]


def found(history: History) -> set[str]:
    return {violation.rule for violation in check(history)}


def row(history: History, number: int, *fields: int) -> History:
    """Return *history* with other numbers in a row of the last inbox."""
    final = next(e for e in history if isinstance(e, Inbox) and e.final)
    rows = list(final.items)
    rows[number] = (rows[number][0], *fields)  # type: ignore[assignment]
    return changed(history, final, items=tuple(rows))


type Corruption = Callable[[History], History]

CORRUPTIONS: dict[str, Corruption] = {
    "lost": lambda h: without(h, last(h, Stored)),
    "doubled": lambda h: [*h, replace(last(h, Stored), sequence=last(h, Stored).sequence + 1)],
    "invented": lambda h: [*h, Stored(0, PLACE, "ann", "never", len(h))],
    "gap": lambda h: changed(h, last(h, Stored), sequence=last(h, Stored).sequence + 1),
    "untrue": lambda h: changed(h, last(h, Heard), id="phantom"),
    "order": lambda h: [
        *(e for e in h if not isinstance(e, Said)),
        *(Said(0, "ann", PLACE, e.id) for e in reversed(h) if isinstance(e, Said)),
        *(Said(0, e.who, PLACE, e.id) for e in h if isinstance(e, Said)),
    ],
    "incomplete": lambda h: changed(h, last(h, Holds), items=last(h, Holds).items[:-1]),
    "receipt": lambda h: changed(h, last(h, Watermark), delivered=last(h, Watermark).delivered - 1),
    "unnotified": lambda h: without(h, last(h, Notified)),
    "nagged": lambda h: [*h, last(h, Notified)],
    "presence": lambda h: changed(h, last(h, Presence), told="online"),
    "refused": lambda h: [*h, Refused(0, "ann", "/sync", 503)],
    "stuck": lambda h: changed(h, last(h, Left), count=1),
    "trespass": lambda h: [*h, Attempt(211, 299, MOVER, PLACE, "member", "GET", 200)],
    "shut out": lambda h: [*h, Attempt(311, 330, MOVER, PLACE, "member", "GET", 404)],
    "ahead": lambda h: changed(h, last(h, Receipts), latest=last(h, Receipts).latest - 1),
    "file": lambda h: changed(h, last(h, FileLook), readable=False),
    "stale": lambda h: [
        *h,
        Confirmed(50, AWAY, PLACE, 2, 2),
        Notified(8_051, AWAY, PLACE, "m2"),
    ],
    "inbox": lambda h: row(h, 1, 1, 0, 1, 1),
    "unread": lambda h: row(h, 1, 2, 1, 2, 2),
    "disorder": lambda h: changed(
        h, next(e for e in h if isinstance(e, Stored) and e.system), sent_at=1_000
    ),
    "remains": lambda h: [*h, Remains(400, "zoe", "redis", "a name")],
}

seeds = st.integers(0, 2**32)
counts = st.integers(2, 12)


@given(seeds, counts)
def test_a_history_in_which_all_went_well_is_right(seed: int, count: int) -> None:
    history = right(random.Random(seed), count)

    assert check(history) == []


@pytest.mark.parametrize("rule", CORRUPTIONS)
@settings(max_examples=25)
@given(seed=seeds, count=counts)
def test_what_is_wrong_is_found(rule: str, seed: int, count: int) -> None:
    history = CORRUPTIONS[rule](right(random.Random(seed), count))

    if rule == "order":
        history = [replace(e, sender="ann") if isinstance(e, Stored) else e for e in history]

    assert rule in found(history)


def test_a_push_that_never_came_is_no_violation() -> None:
    history = [event for event in right(random.Random(1), 5) if not isinstance(event, Heard)]

    assert check(history) == []


def test_an_attempt_that_was_refused_need_not_be_stored() -> None:
    history = [*right(random.Random(1), 5), Said(0, "ann", PLACE, "refused")]

    assert check(history) == []


def test_a_second_notification_is_allowed_while_marks_could_be_lost() -> None:
    history = right(random.Random(1), 5)

    assert check([*history, last(history, Notified), Fault(0, "redis-flushed")]) == []


def test_who_left_may_lose_the_last_acknowledgement_with_live_state_and_only_then() -> None:
    gone = [
        replace(event, told="offline", true="offline")
        if isinstance(event, Presence) and event.who == "cleo"
        else event
        for event in right(random.Random(1), 5)
    ]
    moved = [*gone, Confirmed(5, "cleo", PLACE, 5, 5)]

    assert [violation.rule for violation in check(moved)] == ["receipt"]
    assert check([*moved, Fault(0, "redis-flushed")]) == []


def test_what_was_confirmed_after_the_service_was_asked_does_not_count_against_its_answer() -> None:
    history = right(random.Random(1), 5)
    asked_at = last(history, Watermark).at

    assert check([*history, Confirmed(asked_at, "cleo", PLACE, 5, 5)]) == []
    assert check([*history, Confirmed(asked_at - 1, "cleo", PLACE, 5, 5)]) != []


def test_what_ends_after_a_right_is_given_back_proves_nothing() -> None:
    history = right(random.Random(1), 5)

    assert check([*history, Attempt(250, 300, MOVER, PLACE, "member", "GET", 200)]) == []
    assert check([*history, Attempt(190, 205, MOVER, PLACE, "member", "GET", 404)]) == []


def test_a_push_to_who_was_removed_is_a_trespass_if_its_message_was_begun_afterwards() -> None:
    history = [
        replace(e, at=220) if isinstance(e, Said) and e.id == "m3" else e
        for e in right(random.Random(1), 5)
    ]
    pushed = Heard(240, MOVER, PLACE, last(history, Stored).sender, "m3", 3)
    late = replace(pushed, at=301)

    assert found([*history, pushed]) - found(history) == {"trespass"}
    assert found([*history, late]) == found(history)
    assert found([*history, replace(pushed, id="m2", sequence=2)]) == found(history)


def test_a_receipt_of_what_nobody_has_said_yet_is_ahead() -> None:
    history = right(random.Random(1), 5)

    assert found([*history, Confirmed(3, "ann", PLACE, 4, 0)]) == {"ahead"}


def test_a_file_that_azurite_had_not_yet_in_its_index_may_be_lost_with_it() -> None:
    history = CORRUPTIONS["file"](right(random.Random(1), 5))

    assert check([*history, Fault(5_900, "azurite-killed")]) == []
    late = [*history, Fault(6_500, "azurite-killed")]
    assert check(late) != []
    assert (
        check([*late, Fault(-1_300, "disk-filled")]) == []
    )  # full until 4,700: no index till then
    assert check([*late, Fault(-6_500, "disk-filled")]) != []


def test_a_notification_after_reading_is_allowed_within_its_grace_or_after_a_stop() -> None:
    history = CORRUPTIONS["stale"](right(random.Random(1), 5))

    assert [one.rule for one in check(history)] == ["stale"]
    assert check([*history, Fault(60, "worker-paused")]) == []
    assert check([replace(e, at=8_050) if e.at == 8_051 else e for e in history]) == []


def test_the_shortest_history_of_a_lost_message_names_that_message_alone() -> None:
    history = CORRUPTIONS["lost"](right(random.Random(3), 8))
    (violation,) = [one for one in check(history) if one.rule == "lost"]

    part = shortest(history, violation)

    assert {event.kind for event in part} == {"said", "acknowledged"}
    assert {event.id for event in part if isinstance(event, Said | Acknowledged)} == {"m8"}
    assert "m8 was acknowledged and is not stored" in explain(history, violation)


@given(seeds, counts)
def test_a_history_survives_being_written_down(seed: int, count: int) -> None:
    history = right(random.Random(seed), count)

    assert [from_line(to_line(event)) for event in history] == history
