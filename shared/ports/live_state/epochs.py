"""The epoch of live state, which tells whether it has lost anything."""

from typing import Protocol

from shared.domain.live import Epoch


class Epochs(Protocol):
    """Tells the epoch: one round trip."""

    async def epoch(self) -> Epoch:
        """Return the epoch: live state has lost nothing since it began.

        A live state that was emptied, or came back older, begins a new one with the first call
        that asks, even if a worker remembers the one before.
        """
        ...
