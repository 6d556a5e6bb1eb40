"""What a link needs of its session: the way out for flows, deliveries and settlements."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from local.servicebus.amqp.types import Described

if TYPE_CHECKING:
    from local.servicebus.queue import Queue


class LinkIO(Protocol):
    @property
    def replies(self) -> dict[str, Callable[[bytes], None]]:
        """How to reply to a request that came in on a link at an address."""

    def can_send(self) -> bool:
        """Whether one more delivery can leave at once."""

    def send_flow(
        self, handle: int, delivery_count: int, credit: int, *, drain: bool = False
    ) -> None: ...

    def send_delivery(
        self, handle: int, tag: bytes, message: bytes, queue: "Queue | None" = None
    ) -> None:
        """Send a message: settled, or (from a *queue*) for the peer to settle there."""

    def settle_incoming(self, delivery_id: int, state: Described) -> None:
        """Tell the peer what became of its delivery, once that is on disk."""

    def after_commit(self, act: Callable[[], None]) -> None: ...
