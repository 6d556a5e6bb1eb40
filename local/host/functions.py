"""The app as its worker indexed it: functions, their bindings and their retry policies."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local.host.errors import StartError

_SETTING = re.compile(r"%([^%]*)%")

# Names of settings, not texts that may hold one (WebJobs resolves them as connections).
_CONNECTIONS = frozenset({"connection", "connectionStringSetting", "leaseConnection"})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a failed invocation is repeated.

    Args:
        max_retry_count: Repeats after the first failure; -1 means without end.
        first_s: Seconds before the first repeat.
        last_s: Seconds no wait exceeds.

    """

    strategy: str
    max_retry_count: int
    first_s: float
    last_s: float

    def delay_s(self, retry: int) -> float:
        """Return the seconds to wait before *retry*, counted from 1."""
        if self.strategy == "fixed_delay":
            return self.first_s
        return min(max(self.first_s, 1.0) * 2.0 ** min(retry - 1, 40), self.last_s)

    def allows(self, retry: int) -> bool:
        return self.max_retry_count == -1 or retry <= self.max_retry_count


@dataclass(frozen=True, slots=True)
class Binding:
    """One binding, its `%SETTING%` expressions already resolved."""

    function: str
    name: str
    type: str
    direction: str
    properties: Mapping[str, object]

    def text(self, key: str, default: str | None = None) -> str:
        """Return the string at *key*, or *default*.

        Raises:
            StartError: It is missing without a default, or is not a string.

        """
        value = self.properties.get(key, default)
        if isinstance(value, str) and value:
            return value
        raise self.error(f"needs {key}")

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.properties.get(key)
        return default if value is None else value in {True, "true", "True"}

    def whole(self, key: str, default: int) -> int:
        value = self.properties.get(key)
        if value is None:
            return default
        if isinstance(value, int | str) and str(value).lstrip("-").isdecimal():
            return int(value)
        raise self.error(f"needs a whole number as {key}")

    def error(self, sentence: str) -> StartError:
        """Return an error that names the function and the binding before *sentence*."""
        return StartError(f"function {self.function}, binding {self.type} {self.name}: {sentence}")

    def refuse_unknown(self, *served: str) -> None:
        """Refuse any property beside *served* that is set, for it would silently do nothing."""
        for key, value in self.properties.items():
            if value is not None and key not in served and key != "dataType":
                raise self.error(f"{key} is not served by this host")


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app."""

    name: str
    id: str
    trigger: Binding
    inputs: Sequence[Binding]
    outputs: Sequence[Binding]
    retry: RetryPolicy | None


def parse_functions(described: object, settings: Mapping[str, str]) -> list[Function]:
    """Return the functions of a worker's `ready` frame.

    Raises:
        StartError: A function has not exactly one trigger, uses a binding of unknown direction,
            or names a setting that is missing.

    """
    if not isinstance(described, list):
        raise StartError("the worker sent no list of functions")
    return [_function(*entry, settings=settings) for entry in described]


def _function(
    name: str,
    function_id: str,
    raw_bindings: list[dict[str, object]],
    retry: list[object] | None,
    *,
    settings: Mapping[str, str],
) -> Function:
    bindings = [_binding(name, raw, settings) for raw in raw_bindings]
    triggers = [binding for binding in bindings if binding.type.lower().endswith("trigger")]
    if len(triggers) != 1:
        raise StartError(f"function {name} needs exactly one trigger and has {len(triggers)}")
    rest = [binding for binding in bindings if binding is not triggers[0]]
    return Function(
        name=name,
        id=function_id,
        trigger=triggers[0],
        inputs=[binding for binding in rest if binding.direction == "in"],
        outputs=[binding for binding in rest if binding.direction == "out"],
        retry=None if retry is None else _retry(*retry),
    )


def _binding(function: str, raw: dict[str, object], settings: Mapping[str, str]) -> Binding:
    resolved = {
        key: resolve_settings(value, settings, f"function {function}")
        if isinstance(value, str) and key not in _CONNECTIONS
        else value
        for key, value in raw.items()
    }
    binding = Binding(
        function=function,
        name=str(resolved.pop("name")),
        type=str(resolved.pop("type")),
        direction=str(resolved.pop("direction")).lower(),
        properties=resolved,
    )
    if binding.direction not in {"in", "out"}:
        raise binding.error(f"direction {binding.direction} is not served")
    return binding


def _retry(strategy: object, count: object, first_s: object, last_s: object) -> RetryPolicy:
    return RetryPolicy(str(strategy), int(str(count)), float(str(first_s)), float(str(last_s)))


def resolve_settings(text: str, settings: Mapping[str, str], where: str) -> str:
    """Return *text* with each `%NAME%` replaced by that setting.

    Raises:
        StartError: A named setting is missing; *where* says whose text it is.

    """

    def value(match: re.Match[str]) -> str:
        if match[1] in settings:
            return settings[match[1]]
        raise StartError(f"{where}: {match[0]!r} does not resolve to a value")

    return _SETTING.sub(value, text)
