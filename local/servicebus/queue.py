"""The rules of one queue: order, locks, delivery counts, expiry, schedules, duplicates.

No I/O but the store's; time comes from a clock. Every message is in memory without its content,
and in the store with it.

Source: "Message transfers, locks, and settlement", "Message expiration", "Duplicate detection" and
"Dead-letter queues" in the Azure Service Bus documentation.
"""

import heapq
import uuid
from collections.abc import Iterator, Sequence
from typing import Final

from local.servicebus.context import BrokerContext
from local.servicebus.deduplication import Deduplication
from local.servicebus.delivery import (
    NO_REASON,
    TOO_OFTEN,
    TOO_OLD,
    DeadLetterReason,
    Delivery,
    Message,
    Outcome,
    State,
)
from local.servicebus.due_times import DueTimes, Entry
from local.servicebus.entities import QueueDefinition
from local.servicebus.errors import (
    NOT_ALLOWED,
    AmqpError,
    LockLostError,
)
from local.servicebus.message import Incoming, Marks, with_application_properties
from local.servicebus.store import Row

PEEK_LIMIT = 250


class Queue:
    """One queue, or (without *dead_letter_queue*) the dead-letter queue of one."""

    def __init__(
        self, definition: QueueDefinition, context: BrokerContext, dead_letter_queue: "Queue | None"
    ) -> None:
        self.definition: Final = definition
        self.dead_letter_queue: Final = dead_letter_queue
        self._context = context
        self._store = context.store
        self._messages: dict[int, Message] = {}
        self._ready: list[int] = []
        self._locks: dict[uuid.UUID, Message] = {}
        self._due_times = DueTimes(self._current_due_times, self._messages.__len__)
        self._deduplication = Deduplication(definition, context.store)

    def restore(self, row: Row) -> None:
        """Take in a message that the store kept; its lock, if it had one, is gone."""
        number, _, state, count, enqueued_ms, ttl_ms = row
        self._add(Message(number, State(state), count, enqueued_ms, ttl_ms))

    def count(self, state: State) -> int:
        return sum(1 for message in self._messages.values() if message.state is state)

    def __len__(self) -> int:
        return len(self._messages)

    def send(self, incoming: Sequence[Incoming]) -> list[int]:
        """Store messages, all or none; return their sequence numbers.

        A message whose id was seen within the window of duplicate detection is dropped: it gets
        the number of the first.
        """
        now_ms = self._context.clock()
        numbers = []
        for each in incoming:
            number, message = self._deduplication.add(each, now_ms)
            numbers.append(number)
            if message is not None:
                self._context.counters.sent += 1
                self._add(message)
        self._context.changed(self)
        return numbers

    def take(self, *, lock: bool) -> Delivery | None:
        """Hand out the oldest message that is free, locked or (without *lock*) deleted."""
        while self._ready:
            message = self._messages.get(heapq.heappop(self._ready))
            if message is None or message.token or message.state is not State.ACTIVE:
                continue
            if not self._expire(message):
                return self._hand_out(message, lock=lock)
        return None

    def peek(self, from_number: int, count: int) -> Iterator[Delivery]:
        """Yield up to *count* messages in any state from *from_number* on, without a lock."""
        numbers = (number for number in self._messages if number >= from_number)
        for number in heapq.nsmallest(min(count, PEEK_LIMIT), numbers):
            message = self._messages[number]
            yield Delivery(None, self._store.content(number), self._marks(message))

    def renew(self, token: uuid.UUID) -> int:
        """Renew a lock; return until when it now holds.

        A renewal and the end of the lock may come in the same moment. The clock decides, not the
        timer: a lock whose time is up cannot be renewed or settled, even if `tick` has not run
        yet. Its entry among the due times stays and is read again when it is due; the renewed lock
        ends later, so `tick` leaves it alone. No message is held by two receivers at once. Proof:
        the state machine in tests/contract/test_servicebus_rules.py.

        Raises:
            LockLostError: The lock is not held any more.

        """
        message = self._locked(token)
        self._lock(message, token)
        return message.locked_until_ms

    def settle(
        self, token: uuid.UUID, outcome: Outcome, reason: DeadLetterReason = NO_REASON
    ) -> None:
        """End a lock with what became of the message.

        Raises:
            LockLostError: The lock is not held any more; nothing changed.
            AmqpError: A dead letter cannot die again.

        """
        message = self._locked(token)
        if outcome is Outcome.DEAD_LETTER and self.dead_letter_queue is None:
            raise AmqpError(NOT_ALLOWED, "a dead-lettered message cannot be dead-lettered")
        self._unlock(message)
        match outcome:
            case Outcome.COMPLETE:
                self._context.counters.completed += 1
                self._remove(message)
            case Outcome.DEAD_LETTER:
                self._dead_letter(message, reason)
            case Outcome.ABANDON:
                self._fail(message)
            case Outcome.RELEASE:
                self._make_available(message)

    def tick(self) -> None:
        """Do what is due: lift locks that ran out, release what was scheduled, expire."""
        now_ms = self._context.clock()
        for number in self._due_times.take_due(now_ms):
            message = self._messages.get(number)
            if message is not None:
                self._review(message, now_ms)

    def next_due_ms(self) -> int | None:
        return self._due_times.next_due_ms()

    def has_ready(self) -> bool:
        return bool(self._ready)

    def _review(self, message: Message, now_ms: int) -> None:
        if message.state is State.SCHEDULED:
            if message.enqueued_ms <= now_ms:
                message.state = State.ACTIVE
                self._save(message)
                self._make_available(message)
        elif message.token is None:
            self._expire(message)
        elif message.locked_until_ms <= now_ms:
            self._unlock(message)
            self._fail(message)

    def _add(self, message: Message) -> None:
        self._messages[message.sequence_number] = message
        for due_ms, number in message.due_times(expires=self.dead_letter_queue is not None):
            self._due_times.add(due_ms, number)
        if message.state is State.ACTIVE:
            heapq.heappush(self._ready, message.sequence_number)

    def _hand_out(self, message: Message, *, lock: bool) -> Delivery:
        content = self._store.content(message.sequence_number)
        if not lock:
            self._context.counters.completed += 1
            self._remove(message)
            return Delivery(None, content, self._marks(message))
        token = uuid.uuid4()
        self._lock(message, token)
        return Delivery(token, content, self._marks(message))

    def _marks(self, message: Message) -> Marks:
        return Marks(
            sequence_number=message.sequence_number,
            enqueued_ms=message.enqueued_ms,
            delivery_count=message.delivery_count,
            ttl_ms=message.ttl_ms,
            locked_until_ms=message.locked_until_ms if message.token else None,
            state=message.state,
            dead_letter_source=self.definition.name if self.dead_letter_queue is None else None,
        )

    def _lock(self, message: Message, token: uuid.UUID) -> None:
        message.token = token
        message.locked_until_ms = self._context.clock() + self.definition.lock_ms
        self._locks[token] = message
        self._due_times.add(message.locked_until_ms, message.sequence_number)

    def _locked(self, token: uuid.UUID) -> Message:
        message = self._locks.get(token)
        if message is None or message.locked_until_ms <= self._context.clock():
            raise LockLostError
        return message

    def _unlock(self, message: Message) -> None:
        if message.token is not None:
            del self._locks[message.token]
            message.token = None

    def _fail(self, message: Message) -> None:
        message.delivery_count += 1
        limit = self.definition.max_delivery_count
        if self.dead_letter_queue is not None and message.delivery_count >= limit:
            self._dead_letter(message, TOO_OFTEN)
            return
        self._save(message)
        self._make_available(message)

    def _make_available(self, message: Message) -> None:
        if not self._expire(message) and message.state is State.ACTIVE:
            heapq.heappush(self._ready, message.sequence_number)
            self._context.changed(self)

    def _expire(self, message: Message) -> bool:
        expires_ms = message.expires_ms
        if (
            self.dead_letter_queue is None
            or expires_ms is None
            or expires_ms > self._context.clock()
        ):
            return False
        if self.definition.dead_letters_expired:
            self._dead_letter(message, TOO_OLD)
        else:
            self._remove(message)
        return True

    def _dead_letter(self, message: Message, reason: DeadLetterReason) -> None:
        # A message must be in exactly one of the two queues. On disk it is one row, and the move
        # is one UPDATE in the transaction of the settlement: whoever kills the process finds it
        # in the one or the other. In memory it leaves this queue before it enters the other one,
        # without waiting in between. It keeps its sequence number, and its time to live no longer
        # counts. Proof: the state machine, and test_delivery_counts_and_every_state_survive.
        if self.dead_letter_queue is None:
            return
        properties = {
            "DeadLetterReason": reason.code,
            "DeadLetterErrorDescription": reason.description,
        }
        bare = with_application_properties(
            self._store.content(message.sequence_number).bare,
            {name: text for name, text in properties.items() if text},
        )
        self._store.dead_letter(
            message.sequence_number, bare, delivery_count=message.delivery_count
        )
        self._context.counters.dead_lettered += 1
        del self._messages[message.sequence_number]
        message.state = State.ACTIVE
        self.dead_letter_queue._add(message)  # noqa: SLF001 - the same class
        self._context.changed(self.dead_letter_queue)

    def _remove(self, message: Message) -> None:
        del self._messages[message.sequence_number]
        self._store.delete(message.sequence_number)

    def _save(self, message: Message) -> None:
        self._store.update(
            message.sequence_number, state=message.state, delivery_count=message.delivery_count
        )

    def _current_due_times(self) -> Iterator[Entry]:
        for message in self._messages.values():
            yield from message.due_times(expires=self.dead_letter_queue is not None)
