"""New messages of a queue: each is stored once, with the time to live that applies to it.

Source: "Duplicate detection" and "Message expiration" in the Azure Service Bus documentation.
"""

from typing import Final

from local.servicebus.delivery import Message, State
from local.servicebus.entities import QueueDefinition
from local.servicebus.message import Incoming
from local.servicebus.store import Store

_FORGET_EVERY_MS = 10_000


class Deduplication:
    """Stores the new messages of one queue."""

    def __init__(self, definition: QueueDefinition, store: Store) -> None:
        self._definition: Final = definition
        self._store: Final = store
        self._forgot_ms = 0

    def add(self, incoming: Incoming, now_ms: int) -> tuple[int, Message | None]:
        """Store *incoming*; return its sequence number and what is now in the queue.

        A message whose id was seen within the window gets the first one's number, and None.
        """
        window_ms, message_id = self._definition.duplicate_window_ms, incoming.message_id
        if window_ms is None or message_id is None:
            message = self._insert(incoming, now_ms)
            return message.sequence_number, message
        name = self._definition.name
        self._forget_old_ids(now_ms - window_ms, now_ms)
        first = self._store.find_sent(name, message_id, since_ms=now_ms - window_ms)
        if first is not None:
            return first, None
        message = self._insert(incoming, now_ms)
        self._store.remember_sent(name, message_id, message.sequence_number, seen_ms=now_ms)
        return message.sequence_number, message

    def _insert(self, incoming: Incoming, now_ms: int) -> Message:
        due_ms = incoming.scheduled_ms or 0
        state = State.SCHEDULED if due_ms > now_ms else State.ACTIVE
        enqueued_ms = max(due_ms, now_ms)
        limits = [ms for ms in (incoming.ttl_ms, self._definition.ttl_ms) if ms is not None]
        ttl_ms = min(limits, default=None)
        number = self._store.insert(
            self._definition.name,
            incoming.content,
            state=state,
            enqueued_ms=enqueued_ms,
            ttl_ms=ttl_ms,
        )
        return Message(number, state, 0, enqueued_ms, ttl_ms)

    def _forget_old_ids(self, before_ms: int, now_ms: int) -> None:
        if now_ms - self._forgot_ms >= _FORGET_EVERY_MS:
            self._forgot_ms = now_ms
            self._store.forget_sent(self._definition.name, before_ms=before_ms)
