"""Settings: each is read, each wrong one is named, and none is ever shown."""

import pytest

from shared.config import Connections, Endpoint, Settings
from shared.domain.limits import Limit
from shared.env import SettingError
from shared.timing import Timing

REQUIRED = {
    "CHAT_JWT_ISSUER": "https://site.example",
    "CHAT_JWT_AUDIENCE": "parley",
    "CHAT_JWT_JWKS_URL": "https://site.example/keys",
    "CosmosConnection": "AccountEndpoint=https://c/;AccountKey=k;",
    "ServiceBusConnection": "Endpoint=sb://b/",
    "BlobConnection": "AccountName=a",
    "AzureSignalRConnectionString": "Endpoint=https://s/",
}
SECRET = "s3cret-value"


def test_what_is_not_set_has_its_default() -> None:
    settings = Settings.from_env(REQUIRED)

    assert settings.auth.mode == "jwt"
    assert (settings.bucket_size, settings.cosmos_database) == (5000, "parley")
    assert settings.timing == Timing(300, 120, 5, 8)
    assert settings.limits.messages == Limit(20, 200)
    assert settings.limits.conversations == Limit(0.5, 30)
    assert settings.limits.uploads == Limit(1, 60)
    assert settings.limits.other == Limit(50, 200)
    assert settings.limits.groups == Limit(200 / 86_400, 200)
    assert settings.limits.negotiate == Limit(2, 60)
    assert settings.limits.lookups == Limit(0.5, 30)
    assert settings.connections == Connections(20, Limit(50, 500), None, "none")
    assert settings.timing.reconnect_within_s == 2
    assert "fcm.googleapis.com" in settings.push_hosts
    assert settings.upload_quota_bytes == 2**30
    assert settings.open_uploads == 100
    assert not settings.attachments_scanned
    assert not settings.auth.platform_checks_tokens
    assert (settings.auth.site_audience, settings.auth.token_max_s) == ("parley-site", 86_400)


def test_every_setting_is_read() -> None:
    settings = Settings.from_env(
        {
            "CHAT_AUTH_MODE": "easyauth",
            "CHAT_JWT_ISSUER": "issuer",
            "CHAT_JWT_AUDIENCE": "audience",
            "CHAT_JWT_JWKS_URL": "keys",
            "CHAT_JWT_MAX_SECONDS": "3600",
            "CHAT_SITE_AUDIENCE": "site-calls",
            "CHAT_SITE_SUBJECT": "site",
            "WEBSITE_AUTH_ENABLED": "True",
            "CHAT_PRESENCE_LEASE_SECONDS": "10",
            "CHAT_HEARTBEAT_SECONDS": "11",
            "CHAT_RECEIPT_FLUSH_SECONDS": "12",
            "CHAT_NOTIFY_DELAY_SECONDS": "0",
            "CHAT_LIMIT_MESSAGES": "1/s:2",
            "CHAT_LIMIT_CONVERSATIONS": "3/s:4",
            "CHAT_LIMIT_UPLOADS": "5/s:6",
            "CHAT_LIMIT_OTHER": "7/s:8",
            "CHAT_LIMIT_GROUPS": "9/day:10",
            "CHAT_LIMIT_NEGOTIATE_USER": "11/s:12",
            "CHAT_LIMIT_LOOKUPS": "13/s:14",
            "CHAT_LIMIT_CONNECTIONS": "15",
            "CHAT_LIMIT_NEGOTIATE_ADDRESS": "off",
            "CHAT_LIMIT_NEGOTIATE": "16/s:17",
            "CHAT_EDGE": "frontdoor",
            "CHAT_BUCKET_SIZE": "13",
            "CosmosConnection": " cosmos ",
            "CHAT_COSMOS_DATABASE": "database",
            "ServiceBusConnection__fullyQualifiedNamespace": "bus",
            "ServiceBusConnection__clientId": "bus-id",
            "BlobConnection__blobServiceUri": "blob",
            "AzureSignalRConnectionString__serviceUri": "signalr",
            "CHAT_REDIS_URL": "redis://r",
            "CHAT_REDIS_HOST": "r",
            "AZURE_CLIENT_ID": "id",
            "CHAT_VAPID_PRIVATE_KEY": "key",
            "CHAT_VAPID_SUBJECT": "mailto:a@b",
            "CHAT_PUSH_HOSTS": "a, ,b",
            "CHAT_ATTACHMENTS_SCANNED": "true",
            "CHAT_UPLOAD_QUOTA_BYTES": "14",
            "CHAT_LIMIT_OPEN_UPLOADS": "15",
        }
    )

    auth, limits = settings.auth, settings.limits
    assert (auth.mode, auth.issuer, auth.audience) == ("easyauth", "issuer", "audience")
    assert (auth.jwks_url, auth.platform_checks_tokens) == ("keys", True)
    assert (auth.site_audience, auth.site_subject) == ("site-calls", "site")
    assert auth.token_max_s == 3600
    assert settings.timing == Timing(10, 11, 12, 0)
    assert (limits.messages, limits.conversations) == (Limit(1, 2), Limit(3, 4))
    assert (limits.uploads, limits.other) == (Limit(5, 6), Limit(7, 8))
    assert (limits.groups, limits.negotiate) == (Limit(9 / 86_400, 10), Limit(11, 12))
    assert limits.lookups == Limit(13, 14)
    assert settings.connections == Connections(15, None, Limit(16, 17), "frontdoor")
    assert settings.bucket_size == 13
    assert settings.cosmos == Endpoint("cosmos", "", "")
    assert settings.cosmos_database == "database"
    assert settings.service_bus == Endpoint("", "bus", "bus-id")
    assert (settings.blob.address, settings.signalr.address) == ("blob", "signalr")
    assert (settings.redis_url, settings.redis_host) == ("redis://r", "r")
    assert settings.identity_client_id == "id"
    assert (settings.vapid_private_key, settings.vapid_subject) == ("key", "mailto:a@b")
    assert settings.push_hosts == ("a", "b")
    assert settings.attachments_scanned
    assert settings.upload_quota_bytes == 14
    assert settings.open_uploads == 15


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_what_is_missing_is_named(name: str, value: str | None) -> None:
    env = {key: one for key, one in REQUIRED.items() if key != name}

    with pytest.raises(SettingError, match=name):
        Settings.from_env(env if value is None else {**env, name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHAT_AUTH_MODE", SECRET),
        ("CHAT_EDGE", SECRET),
        ("CHAT_LIMIT_CONNECTIONS", "0"),
        ("CHAT_LIMIT_NEGOTIATE", SECRET),
        *(
            (name, value)
            for name in (
                "CHAT_PRESENCE_LEASE_SECONDS",
                "CHAT_HEARTBEAT_SECONDS",
                "CHAT_RECEIPT_FLUSH_SECONDS",
                "CHAT_BUCKET_SIZE",
                "CHAT_UPLOAD_QUOTA_BYTES",
                "CHAT_LIMIT_OPEN_UPLOADS",
            )
            for value in (SECRET, "0", "-1", "1.5", "99999999999999999", "9" * 5000)
        ),
        ("CHAT_JWT_MAX_SECONDS", "59"),
        ("CHAT_SITE_AUDIENCE", REQUIRED["CHAT_JWT_AUDIENCE"]),
        ("CHAT_RECEIPT_FLUSH_SECONDS", "60"),
        ("CHAT_NOTIFY_DELAY_SECONDS", "3601"),
        *(
            (f"CHAT_LIMIT_{kind}", value)
            for kind in ("MESSAGES", "GROUPS", "UPLOADS", "NEGOTIATE_USER", "LOOKUPS", "OTHER")
            for value in (SECRET, "20", "0/s:1", "")
        ),
    ],
)
def test_what_is_wrong_is_named_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name) as refused:
        Settings.from_env({**REQUIRED, name: value})

    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(("lease_s", "sweep_s"), [(1, 1), (5, 1), (30, 6), (300, 10)])
def test_lapsed_leases_are_looked_for_in_time(lease_s: int, sweep_s: int) -> None:
    timing = Timing.from_env({"CHAT_PRESENCE_LEASE_SECONDS": str(lease_s)})

    assert timing.presence_sweep_s == sweep_s


def test_the_environment_is_where_settings_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_HEARTBEAT_SECONDS", "77")

    assert Timing.from_env().heartbeat_s == 77


def test_a_notification_hub_is_read_where_it_is_named() -> None:
    hub = {"CHAT_NOTIFICATION_HUB": "hub", "NotificationHubConnection": "connection"}

    assert Settings.from_env(REQUIRED).notification_hub is None
    found = Settings.from_env({**REQUIRED, **hub}).notification_hub
    assert found is not None
    assert (found.name, found.endpoint.connection_string) == ("hub", "connection")
