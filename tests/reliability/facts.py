"""What happened in a history, sorted by conversation and by kind, and how a violation is said."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

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
    Member,
    Notified,
    Presence,
    Receipts,
    Remains,
    Right,
    Said,
    Stored,
    Watermark,
)


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule, and by which messages, sequences and people it shows.

    Args:
        ids: Client message ids, sequences and users that the events showing it name.

    """

    rule: str
    conversation: str
    sentence: str
    ids: frozenset[str | int] = frozenset()


@dataclass(slots=True)
class Facts:
    """What happened in one conversation, by kind.

    Args:
        faults: The names of all faults of the run; `strikes` has their times too.
        absent: Members who never were there.

    """

    conversation: str
    members: set[str] = field(default_factory=set)
    said: list[Said] = field(default_factory=list)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    confirmed: list[Confirmed] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)
    holds: list[Holds] = field(default_factory=list)
    watermarks: list[Watermark] = field(default_factory=list)
    notified: list[Notified] = field(default_factory=list)
    rights: list[Right] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    receipts: list[Receipts] = field(default_factory=list)
    files: list[FileLook] = field(default_factory=list)
    online: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)
    strikes: list[Fault] = field(default_factory=list)

    def take(self, event: Event) -> None:
        if isinstance(event, Member):
            self.members.add(event.who)
        elif not isinstance(event, Remains):
            self._lists()[type(event)].append(event)

    def _lists(self) -> dict[type[Event], list[Any]]:
        messages: dict[type[Event], list[Any]]
        messages = {Said: self.said, Acknowledged: self.acknowledged, Heard: self.heard}
        state: dict[type[Event], list[Any]]
        state = {Confirmed: self.confirmed, Stored: self.stored, Holds: self.holds}
        told: dict[type[Event], list[Any]]
        told = {Watermark: self.watermarks, Notified: self.notified, Receipts: self.receipts}
        rest: dict[type[Event], list[Any]]
        rest = {Right: self.rights, Attempt: self.attempts, FileLook: self.files}
        return {**messages, **state, **told, **rest}

    @property
    def newest(self) -> int:
        return max((one.sequence for one in self.stored), default=0)

    @property
    def loose(self) -> set[str]:
        """Who tries without an outbox: of several attempts under way, any may come first."""
        return {one.who for one in self.attempts}

    def said_at(self) -> dict[int, int]:
        """Return when the message at each sequence was first said; nobody says a system message."""
        said = {(one.who, one.id): one.at for one in reversed(self.said)}
        pairs = ((one.sequence, said.get((one.sender, one.id))) for one in self.stored)
        return {sequence: at for sequence, at in pairs if at is not None}


def facts_of(history: History) -> list[Facts]:
    """Sort a history's events by conversation."""
    by_id: dict[str, Facts] = {}
    for event in history:
        if conversation := getattr(event, "conversation", None):
            by_id.setdefault(conversation, Facts(conversation)).take(event)
    strikes = [one for one in history if isinstance(one, Fault)]
    online = {one.who for one in history if isinstance(one, Presence) and one.true == "online"}
    ever = {one.who for one in history if isinstance(one, Said | Heard | Acknowledged | Confirmed)}
    for facts in by_id.values():
        facts.strikes, facts.faults = strikes, {one.what for one in strikes}
        facts.online = online & facts.members
        facts.absent = facts.members - ever - online
    return list(by_id.values())


type Rule = Callable[[Facts], Iterator[Violation]]


def broken(rule: str, facts: Facts, sentence: str, *ids: str | int) -> Violation:
    """Return the violation of *rule* in the conversation of *facts*."""
    return Violation(rule, facts.conversation, sentence, frozenset(ids))
