"""The queues together, and who receives from them."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from typing import Protocol
from urllib.parse import urlsplit

from local.servicebus.context import BrokerContext
from local.servicebus.delivery import Delivery, State
from local.servicebus.entities import QueueDefinition
from local.servicebus.errors import NOT_FOUND, NOT_IMPLEMENTED, LinkError
from local.servicebus.queue import Queue
from local.servicebus.store import Store

DEAD_LETTER_SUFFIX = "/$deadletterqueue"


def entity_path(address: str) -> str:
    """Return the entity an address names, lower-cased: names are case-insensitive."""
    path = urlsplit(address).path if "://" in address else address
    return path.strip("/").lower()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Consumer(Protocol):
    """A receiver that is attached to a queue."""

    @property
    def locks(self) -> bool:
        """Whether it locks what it takes; else what it takes is deleted."""

    def is_ready(self) -> bool:
        """Whether it has credit for one more message."""

    def reserve(self) -> None:
        """Use up the credit for one message that `deliver` will bring."""

    def deliver(self, delivery: Delivery) -> None: ...


class Broker:
    """All queues of the namespace. A message is on disk before anyone is given it."""

    def __init__(self, definitions: Iterable[QueueDefinition], store: Store) -> None:
        self.store = store
        self._context = BrokerContext(store, now_ms, self.wake)
        self._queues: dict[str, Queue] = {}
        self._consumers: dict[Queue, deque[Consumer]] = {}
        self._woken: set[Queue] = set()
        self._timers: dict[Queue, asyncio.TimerHandle] = {}
        self._loop = asyncio.get_running_loop()
        for definition in definitions:
            self._add(definition)

    def find(self, address: str) -> Queue:
        """Return the queue, or dead-letter queue, that *address* names.

        Raises:
            LinkError: There is none, or it is of a kind that is not served here.

        """
        path = entity_path(address)
        queue = self._queues.get(path)
        if queue is not None:
            return queue
        if "/subscriptions/" in path or "/$transfer/" in path:
            raise LinkError(NOT_IMPLEMENTED, "this stand-in serves queues, not topics")
        raise LinkError(NOT_FOUND, f"The messaging entity '{path}' could not be found.")

    def attach(self, queue: Queue, consumer: Consumer) -> None:
        self._consumers[queue].append(consumer)
        self.wake(queue)

    def detach(self, queue: Queue, consumer: Consumer) -> None:
        if consumer in self._consumers[queue]:
            self._consumers[queue].remove(consumer)

    def wake(self, queue: Queue) -> None:
        """Hand out what *queue* has, once all that was written is on disk."""
        if queue not in self._woken:
            self._woken.add(queue)
            self.store.after_commit(lambda: self._dispatch(queue))

    def metrics(self) -> dict[str, object]:
        """Return the counters since the start, and how much lies in the queues now."""
        living = [queue for queue in self._queues.values() if queue.dead_letter_queue is not None]
        dead = [queue for queue in self._queues.values() if queue.dead_letter_queue is None]
        counters = self._context.counters
        return {
            "sent": counters.sent,
            "completed": counters.completed,
            "deadLettered": counters.dead_lettered,
            "active": sum(queue.count(State.ACTIVE) for queue in living),
            "scheduled": sum(queue.count(State.SCHEDULED) for queue in living),
            "deadLetter": sum(len(queue) for queue in dead),
        }

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self.store.close()

    def _add(self, definition: QueueDefinition) -> None:
        dead_letter_queue = Queue(definition, self._context, None)
        queue = Queue(definition, self._context, dead_letter_queue)
        self._queues[definition.name.lower()] = queue
        self._queues[definition.name.lower() + DEAD_LETTER_SUFFIX] = dead_letter_queue
        for each in (queue, dead_letter_queue):
            self._consumers[each] = deque()
        for row in self.store.rows(definition.name):
            (dead_letter_queue if row.dead else queue).restore(row)
        self.wake(queue)

    def _dispatch(self, queue: Queue) -> None:
        # Receivers must get a queue's messages in the order of their sequence numbers, and never
        # one that a crash could take back. `wake` runs this after the commit of all that was
        # written, so each message is on disk. The loop takes the oldest free message and writes it
        # to the next receiver with credit before it takes another one; nothing awaits in between.
        # A receiver that does not lock gets its message after the commit of the deletion, in the
        # order of these calls. A message that comes back (abandoned, lock lost) keeps its number
        # and so goes first again. Proof: test_servicebus_queue.py and _durability.py.
        self._woken.discard(queue)
        while queue.has_ready() and (consumer := self._next_consumer(queue)) is not None:
            delivery = queue.take(lock=consumer.locks)
            if delivery is None:
                break
            consumer.reserve()
            if consumer.locks:
                consumer.deliver(delivery)
            else:
                self._deliver_after_commit(consumer, delivery)
        self._set_timer(queue)

    def _deliver_after_commit(self, consumer: Consumer, delivery: Delivery) -> None:
        self.store.after_commit(lambda: consumer.deliver(delivery))

    def _next_consumer(self, queue: Queue) -> Consumer | None:
        consumers = self._consumers[queue]
        for _ in range(len(consumers)):
            consumer = consumers[0]
            consumers.rotate(-1)
            if consumer.is_ready():
                return consumer
        return None

    def _set_timer(self, queue: Queue) -> None:
        timer = self._timers.pop(queue, None)
        if timer is not None:
            timer.cancel()
        due_ms = queue.next_due_ms()
        if due_ms is not None:
            delay_s = max(0, due_ms - now_ms()) / 1000
            self._timers[queue] = self._loop.call_later(delay_s, self._tick, queue)

    def _tick(self, queue: Queue) -> None:
        queue.tick()
        self.wake(queue)
