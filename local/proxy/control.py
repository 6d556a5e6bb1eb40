"""The control surface of the proxies: the usual calls, once for each service behind them."""

from collections.abc import Mapping

from aiohttp import web

from local.common.faults import FaultBoard
from local.proxy.redis import RedisProxy


def control_app(boards: Mapping[str, FaultBoard], redis: RedisProxy) -> web.Application:
    """Return the application that arms *boards* under `/_control/{redis,blob}/faults`."""
    app = web.Application()

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def arm(request: web.Request) -> web.Response:
        name = request.match_info["service"]
        try:
            fault = boards[name].arm(await request.json())
        except KeyError:
            return web.json_response({"error": f"there is no service {name!r}"}, status=404)
        except (ValueError, AttributeError) as error:
            return web.json_response({"error": str(error)}, status=400)
        if name == "redis":
            redis.faults_armed()
        return web.json_response({"id": fault.id})

    async def clear(request: web.Request) -> web.Response:
        name = request.match_info["service"]
        if name not in boards:
            return web.json_response({"error": f"there is no service {name!r}"}, status=404)
        boards[name].clear()
        return web.Response(status=204)

    app.router.add_get("/_control/health", health)
    app.router.add_post("/_control/{service}/faults", arm)
    app.router.add_delete("/_control/{service}/faults", clear)
    return app
