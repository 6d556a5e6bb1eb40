"""The real client in a real browser, on a page of another origin."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from aiohttp import web

from tests.contract.signalr_client.harness import Answer, Recorded, Stack, listening, running

pytestmark = [pytest.mark.stack, pytest.mark.e2e]

HERE = Path(__file__).parent / "signalr_client"
MODULES = Path(__file__).parents[2] / "node_modules" / "@microsoft"
FILES = {
    "page.html": HERE / "page.html",
    "signalr.js": MODULES / "signalr/dist/browser/signalr.js",
    "signalr-protocol-msgpack.js": (
        MODULES / "signalr-protocol-msgpack/dist/browser/signalr-protocol-msgpack.js"
    ),
}
WAYS = [
    ("WebSockets", "json"),
    ("WebSockets", "messagepack"),
    ("LongPolling", "json"),
    ("LongPolling", "messagepack"),
]


def site(stack: Stack) -> web.Application:
    settings = {"url": f"{stack.base}/client/?hub=chat", "token": stack.token(), "ways": WAYS}

    async def serve(request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name == "settings.json":
            return web.json_response(settings)
        return web.FileResponse(FILES[name])

    app = web.Application()
    app.router.add_get("/{name}", serve)
    return app


async def test_every_transport_and_protocol_works_in_a_browser(tmp_path: Path) -> None:
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("no chromium on PATH")
    async with running(tmp_path) as stack:

        async def push_back(call: Recorded) -> Answer:
            await stack.push(f"/connections/{call.connection_id}", call.headers["X-ASRS-User-Id"])
            return 204, b""

        stack.app.handlers["pushBack"] = push_back
        async with listening(site(stack)) as page:
            process = await asyncio.create_subprocess_exec(
                "node",
                str(HERE / "browser.mjs"),
                f"{page}/page.html",
                browser,
                stdout=asyncio.subprocess.PIPE,
            )
            said, _ = await process.communicate()

    assert json.loads(said) == {f"{protocol} {transport}": "ada" for transport, protocol in WAYS}
