"""One at a time, per conversation, inside one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.domain.ids import ConversationId


class Turns:
    """Locks by conversation, kept only while somebody holds or awaits them.

    They make collisions of proposals rare; that there is no gap and no repeat is the store's work.
    """

    def __init__(self) -> None:
        self._locks: dict[ConversationId, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, conversation_id: ConversationId) -> AsyncIterator[None]:
        """Hold the conversation's turn for the length of the `async with` block."""
        lock, users = self._locks.get(conversation_id, (asyncio.Lock(), 0))
        self._locks[conversation_id] = lock, users + 1
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[conversation_id]
            if users == 1:
                del self._locks[conversation_id]
            else:
                self._locks[conversation_id] = lock, users - 1
