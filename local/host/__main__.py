"""`python -m local.host`: serve the function app of `CHAT_APP_DIR` on the host's port."""

import asyncio
import logging
import sys

from local.common import process
from local.common.settings import LocalSettings
from local.host.appsettings import AppSettings
from local.host.errors import StartError, WorkerStartError
from local.host.host import Host


async def _body(stop: asyncio.Event) -> None:
    # The SDKs report each attempt of a reconnect; the listeners say it in one line.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    try:
        host = Host(LocalSettings.from_env(), AppSettings.from_env())
        await host.run(stop)
    except WorkerStartError as error:
        sys.stderr.write(f"host: {error}\n")
        raise SystemExit(1) from None
    except StartError as error:
        sys.stderr.write(f"host: {error}\n")
        raise SystemExit(process.CANNOT_SERVE) from None


if __name__ == "__main__":
    process.run("host", _body)
