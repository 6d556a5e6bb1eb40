"""How often the app does things by itself, and how long it waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from shared.env import SettingsReader


@dataclass(frozen=True, slots=True)
class Timing:
    """How often, and how long. All in seconds, all whole."""

    presence_lease_s: int
    heartbeat_s: int
    receipt_flush_s: int
    notify_delay_s: int
    reconnect_within_s: int = 2

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Self:
        source = SettingsReader(env)
        return cls(
            presence_lease_s=source.number("CHAT_PRESENCE_LEASE_SECONDS", 300, 1, 86_400),
            heartbeat_s=source.number("CHAT_HEARTBEAT_SECONDS", 120, 1, 86_400),
            receipt_flush_s=source.number("CHAT_RECEIPT_FLUSH_SECONDS", 5, 1, 59),
            notify_delay_s=source.number("CHAT_NOTIFY_DELAY_SECONDS", 8, 0, 3_600),
            reconnect_within_s=source.number("CHAT_RECONNECT_WITHIN_SECONDS", 2, 0, 3_600),
        )

    @property
    def presence_sweep_s(self) -> int:
        """Seconds between two looks for lapsed leases: a fifth of a lease, 1 to 10."""
        return max(1, min(10, self.presence_lease_s // 5))
