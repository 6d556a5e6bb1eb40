"""What a run leaves behind: one event a line, in the order the harness learnt of them.

The harness writes them, the checker reads them, and neither knows the app's code. `at` is epoch
milliseconds; `conversation`, `who` and `sender` are ids; `id` is a client message id.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at *at*."""

    kind: ClassVar[str]
    at: int


@dataclass(frozen=True, slots=True)
class Fault(Event):
    """The nemesis did *what*."""

    kind: ClassVar[str] = "fault"
    what: str


@dataclass(frozen=True, slots=True)
class Member(Event):
    """*who* is in *conversation*, from its beginning to the end of the run."""

    kind: ClassVar[str] = "member"
    who: str
    conversation: str


@dataclass(frozen=True, slots=True)
class Said(Event):
    """*who*'s outbox took a message in."""

    kind: ClassVar[str] = "said"
    who: str
    conversation: str
    id: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledged(Event):
    """The service told *who* that their message is stored."""

    kind: ClassVar[str] = "acknowledged"
    who: str
    conversation: str
    id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Heard(Event):
    """A push brought *who* a message."""

    kind: ClassVar[str] = "heard"
    who: str
    conversation: str
    sender: str
    id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Confirmed(Event):
    """The service told *who* that it knows them to have got this far."""

    kind: ClassVar[str] = "confirmed"
    who: str
    conversation: str
    delivered: int
    read: int


@dataclass(frozen=True, slots=True)
class Stored(Event):
    """After the end: one item of the store's, read past the app.

    Args:
        sent_at: The item's `sentAt`, by which inboxes are ordered.
        system: The service wrote it, of somebody's act: nobody said it.

    """

    kind: ClassVar[str] = "stored"
    conversation: str
    sender: str
    id: str
    sequence: int
    sent_at: int = 0
    system: bool = False


@dataclass(frozen=True, slots=True)
class Holds(Event):
    """After the end: what *who* has of a conversation, as `sequence` and `id` pairs.

    Args:
        way: `shown` by the client that lived through the faults, or `synced` by a new one.

    """

    kind: ClassVar[str] = "holds"
    who: str
    conversation: str
    way: str
    items: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Watermark(Event):
    """After the end: how far the service knew *who* to have got, when asked at that moment."""

    kind: ClassVar[str] = "watermark"
    who: str
    conversation: str
    delivered: int
    read: int


@dataclass(frozen=True, slots=True)
class Notified(Event):
    """A push service was handed a notification of the message *id* for *who*."""

    kind: ClassVar[str] = "notified"
    who: str
    conversation: str
    id: str


@dataclass(frozen=True, slots=True)
class Presence(Event):
    """After the end and one lease: what is told of *who*, and what is true."""

    kind: ClassVar[str] = "presence"
    who: str
    told: str
    true: str


@dataclass(frozen=True, slots=True)
class Left(Event):
    """After the end: how many messages *who*'s outbox still holds."""

    kind: ClassVar[str] = "left"
    who: str
    count: int


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """After the end: *who* asked for *what* until patience ended, and got *status* each time."""

    kind: ClassVar[str] = "refused"
    who: str
    what: str
    status: int


@dataclass(frozen=True, slots=True)
class Right(Event):
    """Somebody changes what *who* may do in *conversation*.

    Args:
        right: `member` (to read, post and be told) or `post` (which a block takes).
        step: `granting` and `taking` when the request begins, `granted` and `taken` when the
            service has answered that it is done.

    """

    kind: ClassVar[str] = "right"
    who: str
    conversation: str
    right: str
    step: str


@dataclass(frozen=True, slots=True)
class Attempt(Event):
    """*who* tried to use a *right*: one request, begun at `at` and answered at `until`.

    Args:
        way: The call, such as `GET messages` or `sendMessage`.
        status: Of the answer; 0 when there was none.

    """

    kind: ClassVar[str] = "attempt"
    until: int
    who: str
    conversation: str
    right: str
    way: str
    status: int


@dataclass(frozen=True, slots=True)
class Receipts(Event):
    """On the way: the receipt of *who* in an answer asked for at `at` and given at `until`.

    Args:
        latest: The conversation's newest sequence according to the same answer.

    """

    kind: ClassVar[str] = "receipts"
    until: int
    who: str
    conversation: str
    delivered: int
    read: int
    latest: int


@dataclass(frozen=True, slots=True)
class Inbox(Event):
    """The inbox that *who* was shown, in its order, asked for at `at` and given at `until`.

    Args:
        final: It was asked for after the end, when nothing changes any more.
        items: `conversation`, newest sequence, unread count, delivered and read, for each row.

    """

    kind: ClassVar[str] = "inbox"
    until: int
    who: str
    final: bool
    items: tuple[tuple[str, int, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class FileLook(Event):
    """After the end: whether the file of the message *id*, uploaded at *uploaded*, is readable."""

    kind: ClassVar[str] = "file"
    who: str
    conversation: str
    id: str
    uploaded: int
    readable: bool


@dataclass(frozen=True, slots=True)
class Remains(Event):
    """After the erasure of *who* has ended: *what* of theirs still stands in *where*."""

    kind: ClassVar[str] = "remains"
    who: str
    where: str
    what: str


KINDS: dict[str, type[Event]] = {
    one.kind: one
    for one in (
        *(Fault, Member, Said, Acknowledged, Heard, Confirmed, Stored),
        *(Holds, Watermark, Notified, Presence, Left, Refused),
        *(Right, Attempt, Receipts, Inbox, FileLook, Remains),
    )
}

type History = list[Event]


def to_line(event: Event) -> str:
    """Return *event* as a line of JSON."""
    return json.dumps({"kind": event.kind, **asdict(event)}, separators=(",", ":"))


def from_line(line: str) -> Event:
    """Return the event that *line* holds.

    Raises:
        KeyError: It is of no known kind, or lacks a field.

    """
    return from_fields(json.loads(line))


def from_fields(raw: dict[str, Any]) -> Event:
    """Return the event that *raw* holds, as `from_line` does."""
    kind = KINDS[raw["kind"]]
    values = {field.name: raw[field.name] for field in fields(kind)}
    if "items" in values:
        values["items"] = tuple(tuple(item) for item in values["items"])
    return kind(**values)


def save(history: Iterable[Event], path: Path) -> None:
    path.write_text("".join(f"{to_line(event)}\n" for event in history), encoding="utf-8")


def load(path: Path) -> History:
    return [from_line(line) for line in path.read_text(encoding="utf-8").splitlines()]
