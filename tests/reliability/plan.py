"""What a run is made of, and what it came to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.reliability.facts import Violation
from tests.reliability.history import Fault, History, Stored
from tests.reliability.shortest import explain

# Small, so that what takes minutes takes seconds; and nobody is limited: speed is not the subject.
SETTINGS: Mapping[str, str] = {
    "CHAT_PRESENCE_LEASE_SECONDS": "6",
    "CHAT_HEARTBEAT_SECONDS": "2",
    "CHAT_RECEIPT_FLUSH_SECONDS": "1",
    "CHAT_NOTIFY_DELAY_SECONDS": "1",
    "CHAT_LIMIT_MESSAGES": "1000/s:1000",
    "CHAT_LIMIT_OTHER": "1000/s:1000",
    "CHAT_LIMIT_NEGOTIATE_USER": "1000/s:1000",
    "CHAT_LIMIT_CONNECTIONS": "1000",
    "CHAT_RECONNECT_WITHIN_SECONDS": "0",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of. Everything in it follows from the seed, but for timing.

    Args:
        beside: Files are sent and inboxes looked at, beside the talk.
        rights: And members come and go, and blocks.
        erases: And somebody is erased while they write.

    """

    seed: int
    faults: tuple[str, ...]
    seconds: float = 12.0
    rate: float = 8.0
    patience_s: float = 75.0
    beside: bool = True
    rights: bool = False
    erases: bool = False


@dataclass(slots=True)
class Outcome:
    plan: Plan
    history: History
    violations: list[Violation] = field(default_factory=list)

    @property
    def messages(self) -> int:
        return sum(isinstance(event, Stored) for event in self.history)

    def faults(self) -> dict[str, int]:
        """Return how often each fault was done."""
        names = [event.what for event in self.history if isinstance(event, Fault)]
        return {name: names.count(name) for name in sorted(set(names))}

    def told(self) -> str:
        """Return every violation with its shortest history, and how to see it again."""
        texts = [explain(self.history, violation) for violation in self.violations[:5]]
        head = f"{len(self.violations)} violation(s), seed {self.plan.seed}, {self.plan.faults}"
        return "\n".join([head, *texts])
