"""Catching up: which messages a client lacks, and whether an answer has all of them."""

from dataclasses import dataclass
from typing import Final

from shared.domain.ids import SequenceNumber
from shared.domain.live import NO_EPOCH, Epoch

NEVER: Final = 0  # a moment that live state never honours


@dataclass(frozen=True, slots=True)
class SyncCursor:
    """The moment up to which a client knows what changed.

    Args:
        at: A moment of live state's own clock, in microseconds.
        whole: False between the answers of a first pass, which goes by the client's positions.
        epoch: The epoch of live state that the moment belongs to.
    """

    at: int
    whole: bool = True
    epoch: Epoch = NO_EPOCH


@dataclass(frozen=True, slots=True)
class Gap:
    """The sequences a client lacks: `first` to `last`, both included; empty when first > last.

    Args:
        complete: The range holds all that the client lacks. Otherwise the client pages the rest,
            which lies before `first`, from history.
    """

    first: SequenceNumber
    last: SequenceNumber
    complete: bool

    def __bool__(self) -> bool:
        return self.first <= self.last


def gap_after(
    position: SequenceNumber, *, latest: SequenceNumber, history_from: SequenceNumber, limit: int
) -> Gap:
    """Return what to send to a client whose newest message is *position*.

    The newest *limit* messages are sent: a person who returns looks at the end first.

    Args:
        history_from: The first sequence that the member may see. Earlier messages do not count as
            lacking.
    """
    wanted = max(position + 1, history_from)
    first = max(wanted, latest - limit + 1)
    return Gap(SequenceNumber(first), latest, complete=first == wanted)
