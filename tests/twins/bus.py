"""The twins of the queue and the push services."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import override

from shared.adapters.service_bus.jobs import envelope
from shared.domain.errors import UnavailableError
from shared.domain.people.notification import Dismissal, Notification, NotificationJob
from shared.domain.people.user import Subscription
from shared.ports import Bus, Job, NotificationChannel
from tests.twins.faulty_link import FaultyLink


@dataclass(frozen=True, slots=True)
class Queued:
    """A notification job in the queue, and how long it was told to wait."""

    job: NotificationJob
    delay_s: float


class MemoryBus(Bus):
    """Fulfils `Bus`. A job sent again is a duplicate, whatever its delay. Notices lie apart."""

    def __init__(self, *, link: FaultyLink | None = None) -> None:
        self.link = link or FaultyLink()
        self.queued: list[Queued] = []
        self.dead: list[Queued] = []
        self.other_jobs: list[Job] = []
        self._ids: set[str] = set()

    @override
    async def send(self, job: Job, *, delay_s: float = 0) -> None:
        async with self.link.call("send"):
            identifier = envelope(job).message_id
            if identifier in self._ids:
                return
            self._ids.add(identifier)
            if isinstance(job, NotificationJob):
                self.queued.append(Queued(job, delay_s))
            else:
                self.other_jobs.append(job)

    @override
    async def replay(self, *, limit: int) -> int:
        async with self.link.call("replay"):
            moved, self.dead = self.dead[:limit], self.dead[limit:]
            self.queued += moved
            return len(moved)

    def take(self) -> list[Queued]:
        """Return all notification jobs that are queued, and empty the queue of them."""
        taken, self.queued = self.queued, []
        return taken


@dataclass(slots=True)
class MemoryNotificationChannel(NotificationChannel):
    """Fulfils `NotificationChannel`: keeps what each device was shown.

    Args:
        gone: Ids of subscriptions whose devices are gone for good.
        failing: Ids of subscriptions whose push service does not answer.
        broken: Ids of subscriptions at which the channel itself fails.
    """

    link: FaultyLink = field(default_factory=FaultyLink)
    gone: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    shown: defaultdict[str, list[Notification]] = field(default_factory=lambda: defaultdict(list))
    cleared: defaultdict[str, list[Dismissal]] = field(default_factory=lambda: defaultdict(list))

    @override
    async def deliver(self, subscription: Subscription, notification: Notification) -> bool:
        async with self.link.call("deliver"):
            if not self._reaches(subscription):
                return False
            self.shown[subscription.id].append(notification)
            return True

    @override
    async def clear(self, subscription: Subscription, dismissal: Dismissal) -> bool:
        async with self.link.call("clear"):
            if not self._reaches(subscription):
                return False
            self.cleared[subscription.id].append(dismissal)
            return True

    def _reaches(self, subscription: Subscription) -> bool:
        if subscription.id in self.failing:
            raise UnavailableError("the push service did not answer")
        if subscription.id in self.broken:
            raise RuntimeError("a fault nobody thought of")
        return subscription.id not in self.gone
