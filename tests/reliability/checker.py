"""Whether a history keeps the promise of docs/reliability.md. Pure: a history in, violations out.

It shares no code with the app, the client or the harness. One function for each rule; each looks at
one conversation, or at one person, and says what it saw and which events show it.
"""

from collections import Counter
from collections.abc import Iterator

from tests.reliability.facts import Facts, Rule, Violation, broken, facts_of
from tests.reliability.history import Acknowledged, Heard, History, Left, Presence, Refused, Remains
from tests.reliability.rules import MORE_RULES, inboxes

# After these, live state may have forgotten what it had not flushed.
FORGETFUL = frozenset({"redis-flushed", "redis-emptied", "redis-rewound"})
# During these a notification may go out twice, rather than never.
MARKLESS = ("redis-", "worker-", "host-", "bus-")


def check(history: History) -> list[Violation]:
    """Return what is wrong with *history*, the gravest rules first; nothing when it is right."""
    every = facts_of(history)
    found = [violation for rule in RULES for facts in every for violation in rule(facts)]
    return [*found, *inboxes(history), *_people(history)]


def nothing_lost(facts: Facts) -> Iterator[Violation]:
    """Every acknowledged message is stored."""
    stored = {(one.sender, one.id) for one in facts.stored}
    for one in facts.acknowledged:
        if (one.who, one.id) not in stored:
            yield broken("lost", facts, f"{one.id} was acknowledged and is not stored", one.id)


def nothing_doubled(facts: Facts) -> Iterator[Violation]:
    """Every message is stored once."""
    counted = Counter((one.sender, one.id) for one in facts.stored)
    for (_, id_), count in counted.items():
        if count > 1:
            yield broken("doubled", facts, f"{id_} is stored {count} times", id_)


def nothing_invented(facts: Facts) -> Iterator[Violation]:
    """Every stored message was said by its sender."""
    said = {(one.who, one.id) for one in facts.said}
    for one in facts.stored:
        if not one.system and (one.sender, one.id) not in said:
            yield broken("invented", facts, f"nobody said {one.id}", one.id, one.sequence)


def no_gaps(facts: Facts) -> Iterator[Violation]:
    """Sequences are 1..n."""
    sequences = sorted(one.sequence for one in facts.stored)
    for expected, sequence in enumerate(sequences, start=1):
        if sequence != expected:
            what = "missing" if sequence > expected else "taken twice"
            number = min(expected, sequence)
            yield broken("gap", facts, f"sequence {number} is {what}", expected, sequence)
            return


def told_the_truth(facts: Facts) -> Iterator[Violation]:
    """What was acknowledged or pushed with a sequence is stored under that sequence."""
    stored = {(one.sequence, one.id) for one in facts.stored}
    told: list[Acknowledged | Heard] = [*facts.acknowledged, *facts.heard]
    for one in told:
        if (one.sequence, one.id) not in stored:
            how = "acknowledged" if isinstance(one, Acknowledged) else "pushed"
            sentence = f"{one.id} was {how} as {one.sequence}, which is not stored so"
            yield broken("untrue", facts, sentence, one.id, one.sequence)


def senders_in_order(facts: Facts) -> Iterator[Violation]:
    """What one sender said first stands first."""
    sequence = {(one.sender, one.id): one.sequence for one in facts.stored}
    last: dict[str, tuple[int, str]] = {}
    for one in facts.said:
        place = sequence.get((one.who, one.id))
        if place is None or one.who in facts.loose:
            continue
        before, earlier = last.get(one.who, (0, ""))
        if place < before:
            sentence = f"{one.who} said {earlier} before {one.id}, which stands before it"
            yield broken("order", facts, sentence, earlier, one.id)
        last[one.who] = (place, one.id)


def everyone_holds_it(facts: Facts) -> Iterator[Violation]:
    """After one sync every member has exactly what is stored."""
    truth = sorted((one.sequence, one.id) for one in facts.stored)
    for one in facts.holds:
        if list(one.items) == truth:
            continue
        differ = sorted(set(truth) ^ set(one.items)) or list(one.items)
        sentence = f"{one.who} holds ({one.way}) other than is stored, from {differ[0]}"
        yield broken("incomplete", facts, sentence, one.who, differ[0][0], differ[0][1])


def watermarks_stay(facts: Facts) -> Iterator[Violation]:
    """A watermark never moves back for good, nor past the end; who is here has all delivered.

    Only what was confirmed before the service was asked counts against its answer. Of one who left,
    what was acknowledged within the last flush may be forgotten with live state.
    """
    final = {one.who: one for one in facts.watermarks}
    forgetful = bool(facts.faults & FORGETFUL)
    for who, mark in final.items():
        before = [one for one in facts.confirmed if one.who == who and one.at < mark.at]
        delivered = max((one.delivered for one in before), default=0)
        read = max((one.read for one in before), default=0)
        if mark.read > mark.delivered or mark.delivered > facts.newest:
            yield broken("receipt", facts, f"{who} stands at {mark.delivered}/{mark.read}", who)
        elif (mark.delivered < delivered or mark.read < read) and (
            who in facts.online or not forgetful
        ):
            sentence = f"{who} had {delivered}/{read} and has {mark.delivered}/{mark.read}"
            yield broken("receipt", facts, sentence, who)
        elif who in facts.online and mark.delivered < facts.newest:
            sentence = f"{who} is here and has {mark.delivered} of {facts.newest} delivered"
            yield broken("receipt", facts, sentence, who)


def the_absent_are_notified(facts: Facts) -> Iterator[Violation]:
    """Who was never here was told of the newest message, and of each message at most once."""
    for who in sorted(facts.absent):
        told = Counter(one.id for one in facts.notified if one.who == who)
        spoken = [one for one in facts.stored if not one.system]
        newest = max(spoken, key=lambda one: one.sequence, default=None)
        if newest is not None and newest.id not in told:
            sentence = f"{who} was never told of {newest.id}, the newest"
            yield broken("unnotified", facts, sentence, who, newest.id)
        if any(fault.startswith(MARKLESS) for fault in facts.faults):
            continue
        for id_, count in told.items():
            if count > 1:
                sentence = f"{who} was told of {id_} {count} times"
                yield broken("nagged", facts, sentence, who, id_)


RULES: tuple[Rule, ...] = (
    nothing_lost,
    nothing_doubled,
    nothing_invented,
    no_gaps,
    told_the_truth,
    senders_in_order,
    everyone_holds_it,
    watermarks_stay,
    the_absent_are_notified,
    *MORE_RULES,
)


def _people(history: History) -> Iterator[Violation]:
    for event in history:
        if isinstance(event, Presence) and event.told != event.true:
            sentence = f"{event.who} is {event.true} and is said to be {event.told}"
            yield Violation("presence", "", sentence, frozenset({event.who}))
        if isinstance(event, Refused):
            sentence = f"{event.who} asked for {event.what} and got {event.status}"
            yield Violation("refused", "", sentence, frozenset({event.who}))
        if isinstance(event, Left) and event.count:
            sentence = f"{event.who}'s outbox still holds {event.count}"
            yield Violation("stuck", "", sentence, frozenset({event.who}))
        if isinstance(event, Remains):
            sentence = f"{event.who} is erased, and {event.where} still has {event.what}"
            yield Violation("remains", "", sentence, frozenset({event.who}))
