"""Catching up: what a client that stood at one sequence must be given, fully or said so."""

from dataclasses import dataclass
from typing import Final

from shared.domain.ids import Sequence
from shared.domain.live import NO_EPOCH, Epoch

NEVER: Final = 0  # a moment that live state never honours


@dataclass(frozen=True, slots=True)
class SyncCursor:
    """Up to where a client knows what changed.

    Args:
        at: A moment of live state's own clock, in microseconds.
        whole: False in the midst of a first pass, whose next answer goes by positions still.
        epoch: The epoch of live state that the moment is of.
    """

    at: int
    whole: bool = True
    epoch: Epoch = NO_EPOCH


@dataclass(frozen=True, slots=True)
class Gap:
    """The sequences a client lacks: `first` to `last`, both included; empty when first > last.

    Args:
        complete: The range reaches back to all that was asked for; else the client pages the
            rest, which lies before `first`, from history.
    """

    first: Sequence
    last: Sequence
    complete: bool

    def __bool__(self) -> bool:
        return self.first <= self.last


def gap_after(position: Sequence, *, latest: Sequence, history_from: Sequence, limit: int) -> Gap:
    """Return what to send to a client whose newest message is *position*.

    The newest *limit* messages are sent: a person who returns looks at the end first.

    Args:
        history_from: First sequence the member may see; what lies before does not count as lost.
    """
    wanted = max(position + 1, history_from)
    first = max(wanted, latest - limit + 1)
    return Gap(Sequence(first), latest, complete=first == wanted)
