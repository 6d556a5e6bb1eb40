"""What a number of users asks for: rates, connections, bytes."""

from dataclasses import dataclass
from typing import Self

from bench.capacity.sources import Inputs, Measured

DAY_S = 86_400
MONTH_DAYS = 30.4


@dataclass(frozen=True, slots=True)
class Demand:
    """Of one number of users. Rates are at peak, per second, unless their name says a day."""

    users: float
    messages_day: float
    messages: float
    connections: float
    mean_connections: float
    sends_to_service: float
    pushes_day: float
    hub_calls_day: float
    calls_day: float
    calls: float
    request_units: float
    mean_request_units: float
    flushes: float
    notices_day: float
    redis_commands: float

    @classmethod
    def of(cls, users: float, inputs: Inputs, measured: Measured) -> Self:
        """Work out the demand of *users*."""
        messages_day = users * inputs["messagesPerUserDay"]
        peak = inputs["peakFactor"] / DAY_S
        connections = users * inputs["onlineShareAtPeak"] * inputs["connectionsPerOnlineUser"]
        mean_connections = connections * inputs["meanOnlineToPeak"]
        deliveries = messages_day * deliveries_per_message(inputs)
        pushes = messages_day * pushes_per_message(inputs)
        hub_calls = messages_day + _other_hub_calls(users, deliveries, mean_connections, inputs)
        calls = hub_calls + _http_calls(users, messages_day, inputs)
        units_day = _request_units_day(users, messages_day, inputs, measured)
        return cls(
            users=users,
            messages_day=messages_day,
            messages=messages_day * peak,
            connections=connections,
            mean_connections=mean_connections,
            sends_to_service=messages_day * peak * _sends(inputs, measured),
            pushes_day=pushes,
            hub_calls_day=hub_calls,
            calls_day=calls,
            calls=calls * peak,
            request_units=units_day * peak,
            mean_request_units=units_day / DAY_S,
            flushes=messages_day * peak / inputs["messagesPerFlush"],
            notices_day=messages_day * inputs["notifiedShare"],
            redis_commands=messages_day * peak * mixed("redisCommands", inputs, measured),
        )


def deliveries_per_message(inputs: Inputs) -> float:
    """Return to how many connections one message is pushed."""
    others = 1 - inputs["groupShare"] + inputs["groupShare"] * (inputs["meanGroupSize"] - 1)
    own_devices = inputs["connectionsPerOnlineUser"] - 1
    return others * inputs["memberOnlineShare"] * inputs["connectionsPerOnlineUser"] + own_devices


def pushes_per_message(inputs: Inputs) -> float:
    """Return what one message causes to be pushed: itself, its receipts, and typing before it.

    A group is told of receipts together, at the flush: that is less than one push for each.
    """
    delivered = deliveries_per_message(inputs)
    receipts = delivered * inputs["acknowledgementsPerDelivery"] * (1 - inputs["groupShare"])
    return delivered + receipts + delivered * inputs["typingPerMessage"]


def _sends(inputs: Inputs, measured: Measured) -> float:
    return mixed("signalrRestCalls", inputs, measured) + inputs["typingPerMessage"]


def mixed(count: str, inputs: Inputs, measured: Measured) -> float:
    """Return *count* per message of the mix of pairs and groups.

    What grows with a group's size was measured at two and at a hundred members; in between it lies
    on the line through both.
    """
    direct, hundred = measured.direct[count], measured.group[count]
    group = direct + (hundred - direct) * (inputs["meanGroupSize"] - 2) / 98
    return direct * (1 - inputs["groupShare"]) + group * inputs["groupShare"]


def _other_hub_calls(
    users: float, deliveries: float, mean_connections: float, inputs: Inputs
) -> float:
    sessions = users * inputs["sessionsPerUserDay"]
    messages = users * inputs["messagesPerUserDay"]
    return (
        deliveries * inputs["acknowledgementsPerDelivery"]
        + messages * inputs["typingPerMessage"]
        + mean_connections * DAY_S / inputs["heartbeatSeconds"]
        + sessions * 4  # connected, disconnected, two sets of watched users
    )


def _http_calls(users: float, messages_day: float, inputs: Inputs) -> float:
    sessions = users * inputs["sessionsPerUserDay"]
    files = messages_day * inputs["attachmentShare"]
    return (
        sessions * 3  # negotiate, sync, an inbox page
        + users * inputs["historyPagesPerUserDay"]
        + files * (1 + inputs["attachmentReads"])
        + messages_day * inputs["notifiedShare"]  # deliver_notification
    )


def _request_units_day(
    users: float, messages_day: float, inputs: Inputs, measured: Measured
) -> float:
    inbox = measured.inbox_request_units
    if inbox is None:
        inbox = inputs.request_units("inboxPage")
    per_message = (
        mixed("requestUnits", inputs, measured)
        + inputs.request_units("flush") / inputs["messagesPerFlush"]
        + inputs.request_units("feedPerMessage")
        + inputs["notifiedShare"] * inputs.request_units("notice")
    )
    sessions = users * inputs["sessionsPerUserDay"]
    return (
        messages_day * per_message
        + sessions * (inputs.request_units("session") + inbox)
        + users * inputs["historyPagesPerUserDay"] * inputs.request_units("historyPage")
    )
