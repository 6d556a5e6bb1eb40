"""Locks by name inside one process: one caller at a time for each conversation, or each user."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class KeyedLocks:
    """Locks by name, kept only while somebody holds or awaits them.

    They make collisions rare and nothing more. Two workers can still collide; that nothing comes of
    it is the work of the store's unique keys and of live state's scripts
    (tests/integration/services/test_sequencer_machine.py).
    """

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Hold the lock of *name* for the length of the `async with` block."""
        lock, users = self._locks.get(name, (asyncio.Lock(), 0))
        self._locks[name] = lock, users + 1
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[name]
            if users == 1:
                del self._locks[name]
            else:
                self._locks[name] = lock, users - 1


class ConversationLocks(KeyedLocks):
    """One sender at a time in each conversation."""


class UserLocks(KeyedLocks):
    """One caller at a time for each user."""
