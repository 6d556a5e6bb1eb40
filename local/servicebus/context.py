"""What all queues of a broker share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.servicebus.delivery import Counters
from local.servicebus.store import Store

if TYPE_CHECKING:
    from local.servicebus.queue import Queue

Clock = Callable[[], int]  # milliseconds since the Unix epoch


@dataclass(slots=True)
class BrokerContext:
    """The store, the time, and who is told that a queue may have something to hand out."""

    store: Store
    clock: Clock
    changed: "Callable[[Queue], None]"
    counters: Counters = field(default_factory=Counters)
