"""The control surface of a stand-in: `/_control/health`, `/_control/metrics`, `/_control/faults`.

It is for the local stack alone. The front door collects from it what `GET /dev/metrics` shows
and forwards `POST /dev/faults` to it; the service's own protocol never meets it.
"""

import json
from collections.abc import Callable, Mapping

from aiohttp import web

from local.common.faults import FaultBoard


def add_control_routes(
    app: web.Application, faults: FaultBoard, metrics: Callable[[], Mapping[str, object]]
) -> None:
    """Add the control calls to *app*. *metrics* returns counters since the process started."""

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def show(_: web.Request) -> web.Response:
        return web.json_response(metrics())

    async def arm(request: web.Request) -> web.Response:
        try:
            fault_json = await request.json()
            fault = faults.arm(fault_json)
        except (ValueError, AttributeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"id": fault.id})

    async def clear(_: web.Request) -> web.Response:
        faults.clear()
        return web.Response(status=204)

    app.router.add_get("/_control/health", health)
    app.router.add_get("/_control/metrics", show)
    app.router.add_post("/_control/faults", arm)
    app.router.add_delete("/_control/faults", clear)


def dumps(value: object) -> str:
    """Return *value* as compact JSON text."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
