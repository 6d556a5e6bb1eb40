"""What operators and tests use: counters, processes, faults."""

import asyncio
from collections.abc import Mapping

import aiohttp
from aiohttp import web

from local.common.settings import Ports
from local.site.fields import integer, read_object
from local.site.problems import InvalidError, ProblemError, UnavailableError
from local.site.redis_info import RedisInfo

_PATIENCE = aiohttp.ClientTimeout(total=2)

_EMPTY: Mapping[str, Mapping[str, object]] = {
    "cosmos": {"requests": 0, "requestUnits": 0},
    "redis": {"commands": 0, "roundTrips": 0},
    "signalr": {"connections": 0, "restCalls": 0, "upstreamCalls": 0, "outboundMessages": 0},
    "serviceBus": {"sent": 0, "completed": 0, "deadLettered": 0},
    "functions": {},
}


class Operations:
    """Answers `/dev/metrics`, `/dev/processes` and `/dev/faults`."""

    def __init__(self, session: aiohttp.ClientSession, ports: Ports) -> None:
        self._session = session
        self._redis = RedisInfo(ports.redis_server)
        self._supervisor = f"http://127.0.0.1:{ports.supervisor}"
        self._metrics = {
            "cosmos": _control(ports.cosmos, "metrics"),
            "signalr": _control(ports.signalr, "metrics"),
            "serviceBus": _control(ports.servicebus_control, "metrics"),
            "functions": _control(ports.host, "metrics"),
        }
        self._faults = {
            "cosmos": _control(ports.cosmos, "faults"),
            "signalr": _control(ports.signalr, "faults"),
            "servicebus": _control(ports.servicebus_control, "faults"),
            "redis": _control(ports.proxy_control, "redis/faults"),
            "blob": _control(ports.proxy_control, "blob/faults"),
        }
        self._last = dict(_EMPTY)

    def routes(self) -> list[web.RouteDef]:
        """Return the calls that concern the stack itself."""
        return [
            web.get("/dev/metrics", self._show_metrics),
            web.get("/dev/processes", self._show_processes),
            web.post("/dev/processes/{name}/{action}", self._act),
            web.post("/dev/faults", self._arm),
            web.delete("/dev/faults", self._clear),
        ]

    def close(self) -> None:
        self._redis.close()

    async def _show_metrics(self, _: web.Request) -> web.Response:
        # A part that is down keeps its last numbers; the call as a whole never fails for it.
        names = [*self._metrics, "redis"]
        results = await asyncio.gather(*(self._count(name) for name in names))
        silent = [name for name, good in zip(names, results, strict=True) if not good]
        return web.json_response({**self._last, "unreachable": silent})

    async def _count(self, name: str) -> bool:
        try:
            if name == "redis":
                counted: Mapping[str, object] = await self._redis.counters()
            else:
                counted = await self._get(self._metrics[name])
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return False
        if name == "functions":
            functions = counted.get("functions")
            counted = functions if isinstance(functions, dict) else {}
        self._last[name] = {**_EMPTY[name], **counted}
        return True

    async def _show_processes(self, _: web.Request) -> web.Response:
        try:
            return web.json_response(await self._get(f"{self._supervisor}/processes"))
        except (aiohttp.ClientError, TimeoutError) as error:
            detail = "the supervisor does not answer"
            raise UnavailableError(detail) from error

    async def _act(self, request: web.Request) -> web.Response:
        name, action = request.match_info["name"], request.match_info["action"]
        await self._send("POST", f"{self._supervisor}/processes/{name}/{action}")
        return web.Response(status=204)

    async def _arm(self, request: web.Request) -> web.Response:
        fault = await read_object(request)
        service = fault.get("service")
        if not isinstance(service, str) or service not in self._faults:
            raise InvalidError("service", f"must be one of {', '.join(self._faults)}")
        for field, low, high in (("status", 400, 599), ("ms", 0, 600_000), ("count", 1, 1_000_000)):
            if fault.get(field) is not None:
                integer(fault[field], field, low, high)
        present = {name: value for name, value in fault.items() if value is not None}
        armed = await self._send("POST", self._faults[service], present)
        return web.json_response({"id": f"{service}:{armed.get('id')}"})

    async def _clear(self, _: web.Request) -> web.Response:
        calls = [self._send("DELETE", url) for url in self._faults.values()]
        results = await asyncio.gather(*calls, return_exceptions=True)
        # A process that is down holds no faults: it starts without any.
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, UnavailableError):
                raise result
        return web.Response(status=204)

    async def _get(self, url: str) -> dict[str, object]:
        async with self._session.get(url, timeout=_PATIENCE) as reply:
            reply.raise_for_status()
            body = await reply.json()
            return body if isinstance(body, dict) else {}

    async def _send(
        self, method: str, url: str, body: Mapping[str, object] | None = None
    ) -> dict[str, object]:
        try:
            async with self._session.request(method, url, json=body, timeout=_PATIENCE) as reply:
                answer = await reply.json() if reply.status != 204 else {}
                if reply.status >= 400:
                    raise ProblemError(reply.status, str(answer.get("error")))
                return dict(answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            detail = "the part concerned does not answer"
            raise UnavailableError(detail) from error


def _control(port: int, call: str) -> str:
    return f"http://127.0.0.1:{port}/_control/{call}"
