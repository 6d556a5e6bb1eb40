"""The checker passes what is right, and finds each way in which it can be wrong."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reliability.checker import check
from tests.reliability.history import (
    Acknowledged,
    Confirmed,
    Event,
    Fault,
    Heard,
    History,
    Holds,
    Left,
    Member,
    Notified,
    Presence,
    Refused,
    Said,
    Stored,
    Watermark,
    from_line,
    to_line,
)
from tests.reliability.shortest import explain, shortest

PEOPLE = ("ann", "bob", "cleo")
AWAY = "dan"
PLACE = "d-1"


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
        Stored(count, PLACE, one.who, one.id, sequence)
        for sequence, one in enumerate(said, start=1)
    ]
    for who in PEOPLE:
        history += [
            Holds(count, who, PLACE, "shown", tuple(pairs)),
            Watermark(count + 1, who, PLACE, count, 0),
            Presence(count, who, "online", "online"),
            Left(count, who, 0),
        ]
    return [*history, Presence(count, AWAY, "offline", "offline")]


def without(history: History, unwanted: Event) -> History:
    return [event for event in history if event is not unwanted]


def changed(history: History, event: Event, **fields: Any) -> History:
    return [replace(one, **fields) if one is event else one for one in history]


def last(history: History, kind: type[Event]) -> Any:
    return [event for event in history if isinstance(event, kind)][-1]


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
}

seeds = st.integers(0, 2**32)
counts = st.integers(2, 12)


@given(seeds, counts)
def test_a_history_in_which_all_went_well_is_right(seed: int, count: int) -> None:
    history = right(random.Random(seed), count)

    assert check(history) == []


@pytest.mark.parametrize("rule", CORRUPTIONS)
@given(seed=seeds, count=counts)
def test_what_is_wrong_is_found(rule: str, seed: int, count: int) -> None:
    history = CORRUPTIONS[rule](right(random.Random(seed), count))

    if rule == "order":
        history = [replace(e, sender="ann") if isinstance(e, Stored) else e for e in history]

    assert rule in {violation.rule for violation in check(history)}


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
