"""`python -m local.cosmos`: serve the account until told to stop."""

import asyncio

from local.common.keys import load_or_create
from local.common.process import run, serve_http
from local.common.settings import LocalSettings
from local.cosmos.app import Account, make_app
from local.cosmos.checkpoint import keep_log_short
from local.cosmos.provision import provision


async def _body(stop: asyncio.Event) -> None:
    settings = LocalSettings.from_env()
    key = load_or_create(settings.directory).cosmos
    account = Account(settings.directory / "cosmos", key)
    try:
        provision(account.catalog)
        await account.store.settled()
        copying = asyncio.create_task(keep_log_short(account.store, stop))
        try:
            await serve_http(make_app(account), settings.ports.cosmos, stop)
        finally:
            stop.set()
            await copying
    finally:
        account.store.close()


if __name__ == "__main__":
    run("cosmos", _body)
