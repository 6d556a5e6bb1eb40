"""Run the SignalR Service stand-in: `python -m local.signalr`."""

import asyncio

from local.common.process import run, serve_http
from local.common.settings import LocalSettings
from local.signalr.app import build_app
from local.signalr.service import Service
from local.signalr.settings import service_settings


def main() -> None:
    local = LocalSettings.from_env()
    settings = service_settings(local)

    async def body(stop: asyncio.Event) -> None:
        async with Service(settings) as service:
            await serve_http(build_app(service), local.ports.signalr, stop)

    run("signalr", body)


if __name__ == "__main__":
    main()
