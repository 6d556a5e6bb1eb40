"""The app settings that Azure would hold, with the addresses of the local stack.

The names of Parley's are those that `shared/config.py` and the bindings of `function_app.py` read.
"""

import os
from collections.abc import Mapping

from local.blob.command import ACCOUNT
from local.common.keys import Keys
from local.common.settings import Ports


def caller_environment() -> dict[str, str]:
    """Return a copy of the environment the stack was started with."""
    return dict(os.environ)  # noqa: TID251


def app_settings(ports: Ports, keys: Keys, vapid_key: str) -> dict[str, str]:
    """Return every setting Parley needs, pointed at the stack's own ports."""
    services = connection_strings(ports, keys)
    site = f"http://127.0.0.1:{ports.front}"
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureSignalRConnectionString": services["signalr"],
        "CosmosConnection": services["cosmos"],
        "ServiceBusConnection": services["servicebus"],
        "BlobConnection": services["blob"],
        "CHAT_COSMOS_DATABASE": "parley",
        "CHAT_REDIS_URL": services["redis"],
        "CHAT_AUTH_MODE": "jwt",
        "CHAT_JWT_ISSUER": site,
        "CHAT_JWT_AUDIENCE": "parley",
        "CHAT_JWT_JWKS_URL": f"{site}/dev/jwks",
        "CHAT_SITE_AUDIENCE": "parley-site",
        "CHAT_VAPID_PRIVATE_KEY": vapid_key,
        "CHAT_VAPID_SUBJECT": "mailto:dev@parley.invalid",
        "CHAT_PUSH_HOSTS": site,
        # The front door adds its clients' addresses as App Service does; here all share one.
        "CHAT_EDGE": "direct",
        "CHAT_LIMIT_NEGOTIATE_ADDRESS": "off",
        # No SQL Server runs here: the site feeds its users over HTTP, and the trigger's function
        # is called through /admin/functions.
        "CHAT_SQL_TABLE": "dbo.Users",
        "SqlConnection": "unused",
    }


def overridden(settings: Mapping[str, str], caller: Mapping[str, str]) -> list[str]:
    """Return the names of *settings* that the caller's environment sets otherwise, sorted."""
    return sorted(name for name, value in settings.items() if caller.get(name, value) != value)


def connection_strings(ports: Ports, keys: Keys) -> dict[str, str]:
    """Return the connection string of each service, by the names of `local.common.model`."""
    return {
        "signalr": _pairs(
            Endpoint="http://127.0.0.1",
            Port=str(ports.signalr),
            AccessKey=keys.signalr,
            Version="1.0",
        ),
        "cosmos": _pairs(
            AccountEndpoint=f"http://127.0.0.1:{ports.cosmos}/", AccountKey=keys.cosmos
        ),
        "servicebus": _pairs(
            Endpoint=f"sb://127.0.0.1:{ports.servicebus}",
            SharedAccessKeyName="RootManageSharedAccessKey",
            SharedAccessKey=keys.servicebus,
            UseDevelopmentEmulator="true",
        ),
        "blob": _pairs(
            DefaultEndpointsProtocol="http",
            AccountName=ACCOUNT,
            AccountKey=keys.blob,
            BlobEndpoint=f"http://127.0.0.1:{ports.blob}/{ACCOUNT}",
        ),
        "redis": f"redis://127.0.0.1:{ports.redis}/0",
    }


def _pairs(**pairs: str) -> str:
    return "".join(f"{name}={value};" for name, value in pairs.items())
