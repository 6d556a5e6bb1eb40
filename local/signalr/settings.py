"""What one instance of the service is told: key, directory, upstream, and the protocol's times."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from local.common.keys import load_or_create
from local.common.settings import LocalSettings
from local.signalr.templates import Template, parse_templates

_BUFFER_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Timing:
    """The protocol's times in seconds; tests shorten them.

    Args:
        connect_s: From negotiate to connect.
        handshake_s: From connect to handshake.
        ping_s: Longest silence of the service.
        silent_s: Silence after which a client is given up.
        poll_s: How long an empty poll is held.
        poll_gap_s: From one poll to the next.
        upstream_s: How long an upstream call may take.

    Source: the service's documentation (connect, handshake, ping, silence); the ASP.NET Core
    transports (polls); the .NET HTTP client's default (upstream).
    """

    connect_s: float = 5
    handshake_s: float = 15
    ping_s: float = 15
    silent_s: float = 30
    poll_s: float = 90
    poll_gap_s: float = 5
    upstream_s: float = 100
    sweep_s: float = 1


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What an instance needs to run.

    Args:
        buffer_bytes: What may wait for one client; a slower one is closed.

    """

    access_key: str
    directory: Path
    upstream: tuple[Template, ...]
    timing: Timing = Timing()
    buffer_bytes: int = _BUFFER_BYTES


def service_settings(local: LocalSettings) -> ServiceSettings:
    """Return the settings of the instance that belongs to the local stack.

    `LOCAL_SIGNALR_UPSTREAM` replaces the stack's own webhook: a URL, or a JSON list of
    templates `{UrlTemplate, HubPattern, CategoryPattern, EventPattern}`.

    Raises:
        SystemExit: `LOCAL_SIGNALR_UPSTREAM` is neither.

    """
    keys = load_or_create(local.directory)
    webhook = (
        f"http://127.0.0.1:{local.ports.host}/runtime/webhooks/signalr"
        f"?code={keys.signalr_extension}"
    )
    text = os.environ.get("LOCAL_SIGNALR_UPSTREAM") or webhook  # noqa: TID251 (this stand-in's own)
    try:
        upstream = parse_templates(text)
    except (ValueError, json.JSONDecodeError) as error:
        raise SystemExit(f"LOCAL_SIGNALR_UPSTREAM: {error}") from error
    return ServiceSettings(keys.signalr, local.directory / "signalr", upstream)


def connection_string(port: int, access_key: str) -> str:
    """Return the connection string an app uses to reach the stand-in on *port*."""
    return f"Endpoint=http://127.0.0.1;Port={port};AccessKey={access_key};Version=1.0;"
