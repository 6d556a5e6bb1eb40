"""`python -m local.site`: the demo website on the front door's port."""

import asyncio
from pathlib import Path

from local.common.process import run, serve_http
from local.common.settings import LocalSettings
from local.site.app import site_app

_PAGE = Path(__file__).resolve().parents[2] / "web" / "dist"


async def serve(stop: asyncio.Event) -> None:
    """Serve the site until *stop* is set."""
    settings = LocalSettings.from_env()
    async with site_app(settings, _PAGE) as app:
        await serve_http(app, settings.ports.front, stop)


if __name__ == "__main__":
    run("site", serve)
