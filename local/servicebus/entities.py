"""The queues there are, as the data model declares them."""

import re
from dataclasses import dataclass
from typing import Self

from local.common.model import DataModel

_DURATION = re.compile(
    r"P(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_SETTINGS = {
    "name",
    "lockDuration",
    "maxDeliveryCount",
    "requiresDuplicateDetection",
    "duplicateDetectionHistoryTimeWindow",
    "defaultMessageTimeToLive",
    "deadLetteringOnMessageExpiration",
}


@dataclass(frozen=True, slots=True)
class QueueDefinition:
    """One queue, with the service's own defaults for what is left out.

    Args:
        duplicate_window_ms: How long message ids are remembered; None means they are not.
        ttl_ms: The longest a message lives; None means forever.

    Source: Microsoft.ServiceBus/namespaces/queues, API version 2024-01-01.

    """

    name: str
    lock_ms: int = 60_000
    max_delivery_count: int = 10
    duplicate_window_ms: int | None = None
    ttl_ms: int | None = None
    dead_letters_expired: bool = False

    @classmethod
    def parse(cls, item: dict[str, object]) -> Self:
        """Read one queue of the data model.

        Raises:
            ValueError: A setting is unknown here, such as `requiresSession`, or malformed.

        """
        if unknown := sorted(item.keys() - _SETTINGS):
            sentence = f"queue {item.get('name')}: not served here: {', '.join(unknown)}"
            raise ValueError(sentence)
        window = str(item.get("duplicateDetectionHistoryTimeWindow", "PT10M"))
        ttl = item.get("defaultMessageTimeToLive")
        return cls(
            name=str(item["name"]),
            lock_ms=duration_ms(str(item.get("lockDuration", "PT1M"))),
            max_delivery_count=int(str(item.get("maxDeliveryCount", 10))),
            duplicate_window_ms=(
                duration_ms(window) if item.get("requiresDuplicateDetection") else None
            ),
            ttl_ms=None if ttl is None else duration_ms(str(ttl)),
            dead_letters_expired=bool(item.get("deadLetteringOnMessageExpiration")),
        )


def queues_of(model: DataModel) -> list[QueueDefinition]:
    """Return the queues that *model* declares.

    Raises:
        ModelError: A queue is declared in a way that is not served here.

    """
    try:
        return [QueueDefinition.parse(item) for item in model.queues]
    except ValueError as error:
        raise model.error(str(error)) from error


def duration_ms(text: str) -> int:
    """Return the milliseconds of an ISO 8601 duration without years and months.

    Raises:
        ValueError: *text* is not such a duration.

    """
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        sentence = f"{text!r} is not a duration such as PT1M"
        raise ValueError(sentence)
    part = {name: float(value or 0) for name, value in match.groupdict().items()}
    minutes = (part["days"] * 24 + part["hours"]) * 60 + part["minutes"]
    return round((minutes * 60 + part["seconds"]) * 1000)
