"""Settings: every one the chat has, read once and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from shared.domain.limits import Limit
from shared.env import SettingError, SettingsReader
from shared.timing import Timing

AuthMode = Literal["jwt", "easyauth"]
AUTH_MODES: tuple[AuthMode, ...] = ("jwt", "easyauth")
Edge = Literal["none", "direct", "gateway", "frontdoor"]
EDGES: tuple[Edge, ...] = ("none", "direct", "gateway", "frontdoor")

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
    """What each user has a bucket of."""

    messages: Limit
    conversations: Limit
    groups: Limit
    uploads: Limit
    negotiate: Limit
    lookups: Limit
    other: Limit


@dataclass(frozen=True, slots=True)
class Connections:
    """How many connections there may be, and how fast they may come.

    Args:
        per_user: A user's; the oldest goes when there are more.
        from_address: Negotiations of one address; None for no limit.
        to_service: Negotiations of all; None for no limit.
        edge: What stands in front of the app, and so which header tells a client's address.
    """

    per_user: int
    from_address: Limit | None
    to_service: Limit | None
    edge: Edge


@dataclass(frozen=True, slots=True)
class Settings:
    auth: Auth
    timing: Timing
    limits: Limits
    connections: Connections
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
        source = SettingsReader(env)
        return cls(
            auth=_auth(source),
            timing=Timing.from_env(env),
            limits=_limits(source),
            connections=_connections(source),
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


def _auth(source: SettingsReader) -> Auth:
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


def _limits(source: SettingsReader) -> Limits:
    return Limits(
        messages=_limit(source, "CHAT_LIMIT_MESSAGES", "20/s:200"),
        conversations=_limit(source, "CHAT_LIMIT_CONVERSATIONS", "30/min:30"),
        groups=_limit(source, "CHAT_LIMIT_GROUPS", "200/day:200"),
        uploads=_limit(source, "CHAT_LIMIT_UPLOADS", "60/min:60"),
        negotiate=_limit(source, "CHAT_LIMIT_NEGOTIATE_USER", "2/s:60"),
        lookups=_limit(source, "CHAT_LIMIT_LOOKUPS", "30/min:30"),
        other=_limit(source, "CHAT_LIMIT_OTHER", "50/s:200"),
    )


def _connections(source: SettingsReader) -> Connections:
    edge = source.text("CHAT_EDGE", "none")
    if edge not in EDGES:
        raise SettingError(f"CHAT_EDGE must be one of {', '.join(EDGES)}")
    return Connections(
        per_user=source.number("CHAT_LIMIT_CONNECTIONS", 20, 1, 100_000),
        from_address=_limit_or_off(source, "CHAT_LIMIT_NEGOTIATE_ADDRESS", "50/s:500"),
        to_service=_limit_or_off(source, "CHAT_LIMIT_NEGOTIATE", "off"),
        edge=edge,
    )


def _limit_or_off(source: SettingsReader, name: str, default: str) -> Limit | None:
    return None if source.text(name, default) == "off" else _limit(source, name, default)


def _limit(source: SettingsReader, name: str, default: str) -> Limit:
    try:
        return Limit.parse(source.text(name, default))
    except ValueError as error:
        raise SettingError(f"{name}: {error}") from error


def _notification_hub(source: SettingsReader) -> NotificationHub | None:
    name = source.text("CHAT_NOTIFICATION_HUB", "")
    if not name:
        return None  # apps are not notified
    found = _endpoint(source, "NotificationHubConnection", "fullyQualifiedNamespace")
    return NotificationHub(found, name)


def _endpoint(source: SettingsReader, name: str, address: str) -> Endpoint:
    found = Endpoint(
        connection_string=source.text(name),
        address=source.text(f"{name}__{address}"),
        client_id=source.text(f"{name}__clientId"),
    )
    if not found.connection_string and not found.address:
        raise SettingError(f"give {name} or {name}__{address}")
    return found
