"""Settings, read once from the environment: the only module that does."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from shared.domain.limits import Limit

AuthMode = Literal["jwt", "easyauth"]
AUTH_MODES: tuple[AuthMode, ...] = ("jwt", "easyauth")

# The push services of the browsers. Source: docs/operations.md#settings.
_PUSH_HOSTS = (
    "fcm.googleapis.com,*.push.services.mozilla.com,web.push.apple.com,*.notify.windows.com"
)

_NUMBER = re.compile(r"[0-9]{1,18}")


class SettingError(Exception):
    """A setting is missing or wrong; names it, never shows its value."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One Azure service: a connection string locally, an address and an identity in Azure."""

    connection_string: str
    address: str
    client_id: str


class _Source:
    def __init__(self, env: Mapping[str, str] | None) -> None:
        self._env = os.environ if env is None else env  # noqa: TID251

    def text(self, name: str, default: str = "") -> str:
        return self._env.get(name, default).strip()

    def required(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise SettingError(f"the setting {name} is missing")
        return value

    def names(self, name: str, default: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.text(name, default).split(",") if part.strip())

    def number(self, name: str, default: int, low: int, high: int) -> int:
        text = self.text(name, str(default))
        if not _NUMBER.fullmatch(text) or not low <= int(text) <= high:
            raise SettingError(f"{name} must be a whole number from {low} to {high}")
        return int(text)

    def flag(self, name: str) -> bool:
        return self.text(name).lower() == "true"

    def limit(self, name: str, default: str) -> Limit:
        try:
            return Limit.parse(self.text(name, default))
        except ValueError as error:
            raise SettingError(f"{name}: {error}") from error

    def endpoint(self, name: str, address: str) -> Endpoint:
        found = Endpoint(
            connection_string=self.text(name),
            address=self.text(f"{name}__{address}"),
            client_id=self.text(f"{name}__clientId"),
        )
        if not found.connection_string and not found.address:
            raise SettingError(f"give {name} or {name}__{address}")
        return found


@dataclass(frozen=True, slots=True)
class Timing:
    """How often, and how long. All in seconds, all whole."""

    presence_lease_s: int
    heartbeat_s: int
    receipt_flush_s: int
    notify_delay_s: int

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Self:
        source = _Source(env)
        return cls(
            presence_lease_s=source.number("CHAT_PRESENCE_LEASE_SECONDS", 300, 1, 86_400),
            heartbeat_s=source.number("CHAT_HEARTBEAT_SECONDS", 120, 1, 86_400),
            receipt_flush_s=source.number("CHAT_RECEIPT_FLUSH_SECONDS", 5, 1, 59),
            notify_delay_s=source.number("CHAT_NOTIFY_DELAY_SECONDS", 8, 0, 3_600),
        )

    @property
    def presence_sweep_s(self) -> int:
        """Seconds between two looks for lapsed leases: a fifth of a lease, 1 to 10."""
        return max(1, min(10, self.presence_lease_s // 5))


@dataclass(frozen=True, slots=True)
class Auth:
    """How a caller is proved (docs/protocol.md#principals)."""

    mode: AuthMode
    issuer: str
    audience: str
    jwks_url: str
    site_subject: str
    platform_checks_tokens: bool


@dataclass(frozen=True, slots=True)
class Limits:
    messages: Limit
    conversations: Limit
    uploads: Limit
    other: Limit


@dataclass(frozen=True, slots=True)
class Settings:
    auth: Auth
    timing: Timing
    limits: Limits
    bucket_size: int
    cosmos: Endpoint
    cosmos_database: str
    service_bus: Endpoint
    blob: Endpoint
    signalr: Endpoint
    redis_url: str
    redis_host: str
    identity_client_id: str
    vapid_private_key: str
    vapid_subject: str
    push_hosts: tuple[str, ...]
    attachments_scanned: bool
    upload_quota_bytes: int

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Self:
        """Read and check every setting.

        Raises:
            SettingError: One is missing or out of its range.
        """
        source = _Source(env)
        return cls(
            auth=_auth(source),
            timing=Timing.from_env(env),
            limits=_limits(source),
            bucket_size=source.number("CHAT_BUCKET_SIZE", 5000, 1, 100_000),
            cosmos=source.endpoint("CosmosConnection", "accountEndpoint"),
            cosmos_database=source.text("CHAT_COSMOS_DATABASE", "parley"),
            service_bus=source.endpoint("ServiceBusConnection", "fullyQualifiedNamespace"),
            blob=source.endpoint("BlobConnection", "blobServiceUri"),
            signalr=source.endpoint("AzureSignalRConnectionString", "serviceUri"),
            redis_url=source.text("CHAT_REDIS_URL", ""),
            redis_host=source.text("CHAT_REDIS_HOST", ""),
            identity_client_id=source.text("AZURE_CLIENT_ID", ""),
            vapid_private_key=source.text("CHAT_VAPID_PRIVATE_KEY", ""),
            vapid_subject=source.text("CHAT_VAPID_SUBJECT", ""),
            push_hosts=source.names("CHAT_PUSH_HOSTS", _PUSH_HOSTS),
            attachments_scanned=source.flag("CHAT_ATTACHMENTS_SCANNED"),
            upload_quota_bytes=source.number("CHAT_UPLOAD_QUOTA_BYTES", 2**30, 1, 2**50),
        )


def _auth(source: _Source) -> Auth:
    mode = source.text("CHAT_AUTH_MODE", "jwt")
    if mode not in AUTH_MODES:
        raise SettingError(f"CHAT_AUTH_MODE must be one of {', '.join(AUTH_MODES)}")
    needed = source.required if mode == "jwt" else source.text
    return Auth(
        mode=mode,
        issuer=needed("CHAT_JWT_ISSUER"),
        audience=needed("CHAT_JWT_AUDIENCE"),
        jwks_url=needed("CHAT_JWT_JWKS_URL"),
        site_subject=source.text("CHAT_SITE_SUBJECT", ""),
        platform_checks_tokens=source.flag("WEBSITE_AUTH_ENABLED"),
    )


def _limits(source: _Source) -> Limits:
    return Limits(
        messages=source.limit("CHAT_LIMIT_MESSAGES", "20/s:200"),
        conversations=source.limit("CHAT_LIMIT_CONVERSATIONS", "30/min:30"),
        uploads=source.limit("CHAT_LIMIT_UPLOADS", "60/min:60"),
        other=source.limit("CHAT_LIMIT_OTHER", "50/s:200"),
    )
