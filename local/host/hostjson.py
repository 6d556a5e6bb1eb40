"""host.json: what of it this host obeys, what it may ignore, and what it refuses.

Source: learn.microsoft.com, "host.json reference for Azure Functions 2.x and later".
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from local.host.errors import StartError

_TIMESPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})")

# They tune logging, scaling or hosts of other kinds, and change nothing an app can see here.
_HARMLESS = frozenset(
    {
        "$schema",
        "version",
        "extensionBundle",
        "logging",
        "healthMonitor",
        "singleton",
        "aggregator",
        "managedDependency",
        "watchDirectories",
        "watchFiles",
        "telemetryMode",
        "concurrency",
    }
)
_HARMLESS_EXTENSIONS = frozenset(
    {
        "blobs",
        "queues",
        "tables",
        "eventHubs",
        "eventGrid",
        "durableTask",
        "kafka",
        "sql",
        "signalR",
        "warmup",
        "sendGrid",
    }
)
_HARMLESS_SERVICE_BUS = frozenset(
    {
        "clientRetryOptions",
        "transportType",
        "maxMessageBatchSize",
        "minMessageBatchSize",
        "maxBatchWaitTime",
        "maxConcurrentSessions",
        "sessionIdleTimeout",
        "enableCrossEntityTransactions",
    }
)
_HARMLESS_COSMOS = frozenset({"connectionMode", "protocol", "leaseOptions"})


@dataclass(frozen=True, slots=True)
class HostJson:
    """The obeyed part of host.json, with the real host's defaults."""

    route_prefix: str = "api"
    function_timeout_s: float = 1800.0
    bus_max_concurrent_calls: int = 16
    bus_prefetch_count: int = 0
    bus_max_lock_renewal_s: float = 300.0
    bus_auto_complete: bool = True
    cosmos_user_agent_suffix: str = ""


def load(directory: Path) -> HostJson:
    """Read host.json of *directory*.

    Raises:
        StartError: It is missing or malformed, or asks for what this host does not do.

    """
    path = directory / "host.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise StartError(f"{path} is missing: not a function app") from None
    except ValueError as error:
        raise StartError(f"{path} is not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("version") != "2.0":
        raise StartError(f'{path} must be an object with "version": "2.0"')
    return _Reader(document).read()


class _Reader:
    def __init__(self, document: dict[str, object]) -> None:
        self._root = document
        self._extensions = self._section(document, "extensions")

    def read(self) -> HostJson:
        self._check_rest()
        http = self._section(self._extensions, "http")
        bus = self._section(self._extensions, "serviceBus")
        cosmos = self._section(self._extensions, "cosmosDB")
        default = HostJson()
        return HostJson(
            route_prefix=str(http.get("routePrefix", default.route_prefix)).strip("/"),
            function_timeout_s=_timeout(self._root.get("functionTimeout")),
            bus_max_concurrent_calls=_whole(bus, "maxConcurrentCalls", 16, 1),
            bus_prefetch_count=_whole(bus, "prefetchCount", 0, 0),
            bus_max_lock_renewal_s=timespan_s(bus.get("maxAutoLockRenewalDuration", "00:05:00")),
            bus_auto_complete=bool(bus.get("autoCompleteMessages", True)),
            cosmos_user_agent_suffix=str(cosmos.get("userAgentSuffix", "")),
        )

    def _check_rest(self) -> None:
        _refuse(self._root, _HARMLESS | {"functionTimeout", "extensions"}, "")
        _refuse(
            self._extensions,
            _HARMLESS_EXTENSIONS | {"http", "serviceBus", "cosmosDB"},
            "extensions.",
        )
        obeyed_bus = {
            *("maxConcurrentCalls", "prefetchCount"),
            *("maxAutoLockRenewalDuration", "autoCompleteMessages"),
        }
        _refuse(self._section(self._extensions, "http"), {"routePrefix"}, "extensions.http.")
        _refuse(
            self._section(self._extensions, "serviceBus"),
            _HARMLESS_SERVICE_BUS | obeyed_bus,
            "extensions.serviceBus.",
        )
        _refuse(
            self._section(self._extensions, "cosmosDB"),
            _HARMLESS_COSMOS | {"userAgentSuffix"},
            "extensions.cosmosDB.",
        )

    @staticmethod
    def _section(parent: dict[str, object], name: str) -> dict[str, object]:
        section = parent.get(name, {})
        if not isinstance(section, dict):
            raise StartError(f"host.json: {name} must be an object")
        return section


def _refuse(section: dict[str, object], served: set[str] | frozenset[str], prefix: str) -> None:
    for name, value in section.items():
        # A switch that is off asks for nothing.
        if name not in served and value is not False:
            raise StartError(f"host.json: {prefix}{name} is not served by this host")


def _timeout(value: object) -> float:
    if value is None:
        return HostJson().function_timeout_s
    # "-1" is the real host's word for no limit.
    return 10.0**9 if value == "-1" else timespan_s(value)


def timespan_s(value: object) -> float:
    """Return the seconds of a .NET time span such as `00:05:00` or `1.12:00:00`.

    Raises:
        StartError: *value* is not a time span.

    """
    match = _TIMESPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise StartError(f"host.json: {value!r} is not a time span (hh:mm:ss)")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def _whole(section: dict[str, object], name: str, default: int, low: int) -> int:
    value = section.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise StartError(f"host.json: {name} must be a whole number of at least {low}")
    return value
