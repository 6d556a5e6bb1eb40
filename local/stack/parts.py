"""The processes of the stack: their names, commands and order."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.blob.command import (
    AzuriteMissingError,
    NodeMissingError,
    azurite_command,
    azurite_environment,
)
from local.common.keys import Keys
from local.common.settings import LocalSettings, Ports
from local.redis.command import RedisMissingError, redis_command
from local.stack.application import Application
from local.stack.errors import CannotStartError


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the stack.

    Args:
        phase: Parts of a lower phase are ended first.

    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    phase: int


# What the app calls ends after the app, which ends after what calls it.
_PHASES = {"site": 0, "host": 1, "redis": 3, "azurite": 3}


def parts(
    root: Path,
    settings: LocalSettings,
    keys: Keys,
    environment: Mapping[str, str],
    app: Application,
) -> list[Part]:
    """Return every part, in the order they are listed to people.

    Another app than Parley comes without Parley's site.

    Raises:
        CannotStartError: node, Azurite or a Redis server is missing.

    """
    common = {
        **environment,
        "PORT": str(settings.ports.front),
        "CHAT_LOCAL_DIR": str(settings.directory),
        "PYTHONUNBUFFERED": "1",
        # glibc gives every thread a heap of its own; two keep a worker about 20 MB smaller.
        "MALLOC_ARENA_MAX": "2",
    }
    model = ["--model", str(app.model.path)]
    own_directory = {} if app.directory is None else {"CHAT_APP_DIR": str(app.directory)}
    return [
        _python("host", {**app.settings, **common, **own_directory}),
        _python("signalr", common),
        _python("cosmos", common, *model),
        _python("servicebus", common, *model),
        *_servers(root, settings, keys, common),
        *([_python("site", common)] if app.is_parley else []),
        _python("proxy", common),
    ]


def uses(ports: Ports) -> dict[int, str]:
    """Return every port of the stack with what it is for, as a person would say it."""
    return {
        ports.front: "the front door",
        ports.host: "the Functions host",
        ports.signalr: "SignalR",
        ports.cosmos: "Cosmos DB",
        ports.servicebus: "Service Bus",
        ports.redis: "Redis",
        ports.blob: "Blob Storage",
        ports.servicebus_control: "Service Bus's control calls",
        ports.redis_server: "redis-server",
        ports.blob_server: "Azurite",
        ports.supervisor: "the supervisor",
        ports.proxy_control: "the fault proxies' control calls",
    }


def _servers(
    root: Path, settings: LocalSettings, keys: Keys, common: Mapping[str, str]
) -> list[Part]:
    ports, directory = settings.ports, settings.directory
    try:
        redis = redis_command(ports.redis_server, directory / "redis")
        azurite = azurite_command(root, ports.blob_server, directory / "azurite")
    except RedisMissingError as error:
        sentence = "redis-server is missing: run `make setup`, or install it with your system."
        raise CannotStartError(sentence) from error
    except NodeMissingError as error:
        sentence = "node is missing: install Node.js 20 or later, then run this again."
        raise CannotStartError(sentence) from error
    except AzuriteMissingError as error:
        sentence = "Azurite is not installed: run `make setup`."
        raise CannotStartError(sentence) from error
    return [
        _part("redis", redis, common),
        _part("azurite", azurite, {**common, **azurite_environment(keys.blob)}),
    ]


def _python(name: str, environment: Mapping[str, str], *arguments: str) -> Part:
    return _part(name, [sys.executable, "-m", f"local.{name}", *arguments], environment)


def _part(name: str, command: list[str], environment: Mapping[str, str]) -> Part:
    return Part(name, tuple(command), environment, _PHASES.get(name, 2))
