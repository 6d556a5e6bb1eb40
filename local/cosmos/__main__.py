"""`python -m local.cosmos [--model FILE]`: serve the account until told to stop."""

import argparse
import asyncio
from pathlib import Path

from local.common.keys import load_or_create
from local.common.model import PARLEY_MODEL, load_model
from local.common.process import run, serve_http
from local.common.settings import LocalSettings
from local.cosmos.app import Account, make_app
from local.cosmos.checkpoint import keep_log_short
from local.cosmos.provision import provision


def main() -> None:
    parser = argparse.ArgumentParser(prog="local.cosmos", description=__doc__)
    parser.add_argument("--model", type=Path, default=PARLEY_MODEL, help="what must exist")
    model: Path = parser.parse_args().model
    run("cosmos", lambda stop: serve(model, stop))


async def serve(model: Path, stop: asyncio.Event) -> None:
    """Serve the account, with the containers of *model*, until *stop* is set."""
    settings = LocalSettings.from_env()
    key = load_or_create(settings.directory).cosmos
    account = Account(settings.directory / "cosmos", key)
    try:
        provision(account.catalog, load_model(model))
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
    main()
