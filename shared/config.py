"""Settings: every one the chat has, read once and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from shared.domain.limits import Limit
from shared.env import SettingError, Source
from shared.timing import Timing

AuthMode = Literal["jwt", "easyauth"]
AUTH_MODES: tuple[AuthMode, ...] = ("jwt", "easyauth")

# The push services of the browsers. Source: docs/operations.md#settings.
_PUSH_HOSTS = (
    "fcm.googleapis.com,*.push.services.mozilla.com,web.push.apple.com,*.notify.windows.com"
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One Azure service: a connection string locally, an address and an identity in Azure."""

    connection_string: str
    address: str
    client_id: str


@dataclass(frozen=True, slots=True)
class NotificationHub:
    """The hub that leads to apps, by its name in its namespace."""

    endpoint: Endpoint
    name: str


@dataclass(frozen=True, slots=True)
class Auth:
    """How a caller is proved (docs/protocol.md#principals)."""

    mode: AuthMode
    issuer: str
    audience: str
    jwks_url: str
    site_subject: str
    site_audience: str
    token_max_s: int
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
    notification_hub: NotificationHub | None
    attachments_scanned: bool
    upload_quota_bytes: int
    open_uploads: int

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Self:
        """Read and check every setting.

        Raises:
            SettingError: One is missing or out of its range.
        """
        source = Source(env)
        return cls(
            auth=_auth(source),
            timing=Timing.from_env(env),
            limits=_limits(source),
            bucket_size=source.number("CHAT_BUCKET_SIZE", 5000, 1, 100_000),
            cosmos=_endpoint(source, "CosmosConnection", "accountEndpoint"),
            cosmos_database=source.text("CHAT_COSMOS_DATABASE", "parley"),
            service_bus=_endpoint(source, "ServiceBusConnection", "fullyQualifiedNamespace"),
            blob=_endpoint(source, "BlobConnection", "blobServiceUri"),
            signalr=_endpoint(source, "AzureSignalRConnectionString", "serviceUri"),
            redis_url=source.text("CHAT_REDIS_URL", ""),
            redis_host=source.text("CHAT_REDIS_HOST", ""),
            identity_client_id=source.text("AZURE_CLIENT_ID", ""),
            vapid_private_key=source.text("CHAT_VAPID_PRIVATE_KEY", ""),
            vapid_subject=source.text("CHAT_VAPID_SUBJECT", ""),
            push_hosts=source.names("CHAT_PUSH_HOSTS", _PUSH_HOSTS),
            notification_hub=_notification_hub(source),
            attachments_scanned=source.flag("CHAT_ATTACHMENTS_SCANNED"),
            upload_quota_bytes=source.number("CHAT_UPLOAD_QUOTA_BYTES", 2**30, 1, 2**50),
            open_uploads=source.number("CHAT_LIMIT_OPEN_UPLOADS", 100, 1, 10_000),
        )


def _auth(source: Source) -> Auth:
    mode = source.text("CHAT_AUTH_MODE", "jwt")
    if mode not in AUTH_MODES:
        raise SettingError(f"CHAT_AUTH_MODE must be one of {', '.join(AUTH_MODES)}")
    needed = source.required if mode == "jwt" else source.text
    audience = needed("CHAT_JWT_AUDIENCE")
    site_audience = source.text("CHAT_SITE_AUDIENCE", "parley-site")
    if site_audience == audience:
        raise SettingError("CHAT_SITE_AUDIENCE must not be the users' own, CHAT_JWT_AUDIENCE")
    return Auth(
        mode=mode,
        issuer=needed("CHAT_JWT_ISSUER"),
        audience=audience,
        jwks_url=needed("CHAT_JWT_JWKS_URL"),
        site_subject=source.text("CHAT_SITE_SUBJECT", ""),
        site_audience=site_audience,
        token_max_s=source.number("CHAT_JWT_MAX_SECONDS", 86_400, 60, 365 * 86_400),
        platform_checks_tokens=source.flag("WEBSITE_AUTH_ENABLED"),
    )


def _limits(source: Source) -> Limits:
    return Limits(
        messages=_limit(source, "CHAT_LIMIT_MESSAGES", "20/s:200"),
        conversations=_limit(source, "CHAT_LIMIT_CONVERSATIONS", "30/min:30"),
        uploads=_limit(source, "CHAT_LIMIT_UPLOADS", "60/min:60"),
        other=_limit(source, "CHAT_LIMIT_OTHER", "50/s:200"),
    )


def _limit(source: Source, name: str, default: str) -> Limit:
    try:
        return Limit.parse(source.text(name, default))
    except ValueError as error:
        raise SettingError(f"{name}: {error}") from error


def _notification_hub(source: Source) -> NotificationHub | None:
    name = source.text("CHAT_NOTIFICATION_HUB", "")
    if not name:
        return None  # apps are not notified
    found = _endpoint(source, "NotificationHubConnection", "fullyQualifiedNamespace")
    return NotificationHub(found, name)


def _endpoint(source: Source, name: str, address: str) -> Endpoint:
    found = Endpoint(
        connection_string=source.text(name),
        address=source.text(f"{name}__{address}"),
        client_id=source.text(f"{name}__clientId"),
    )
    if not found.connection_string and not found.address:
        raise SettingError(f"give {name} or {name}__{address}")
    return found
