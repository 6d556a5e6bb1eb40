"""When the messages of one queue are due: locks that end, schedules, expiries."""

import heapq
from collections.abc import Callable, Iterable, Iterator

Entry = tuple[int, int]  # due at (ms), sequence number


class DueTimes:
    """A heap of due times. An entry may be out of date: the caller checks the message again.

    Args:
        current: Yields the entries that still matter; asked for when too many do not.
        size: Returns how many messages there are.

    """

    def __init__(self, current: Callable[[], Iterable[Entry]], size: Callable[[], int]) -> None:
        self._heap: list[Entry] = []
        self._current = current
        self._size = size

    def add(self, due_ms: int, sequence_number: int) -> None:
        heapq.heappush(self._heap, (due_ms, sequence_number))
        if len(self._heap) > 4 * self._size() + 1_000:
            self._heap = list(self._current())
            heapq.heapify(self._heap)

    def take_due(self, now_ms: int) -> Iterator[int]:
        """Yield and drop what is due at *now_ms*."""
        while self._heap and self._heap[0][0] <= now_ms:
            yield heapq.heappop(self._heap)[1]

    def next_due_ms(self) -> int | None:
        return self._heap[0][0] if self._heap else None
