"""The supervisor's own port: what runs, and the means to end, pause or restart it."""

import aiohttp
from aiohttp import web

from local.stack.supervisor import ACTIONS, Supervisor, signal_worker

_HOST_PATIENCE = aiohttp.ClientTimeout(total=1)


class Control:
    """Answers `GET /processes` and `POST /processes/{name}/{action}`."""

    def __init__(
        self, supervisor: Supervisor, session: aiohttp.ClientSession, host_port: int
    ) -> None:
        self._supervisor = supervisor
        self._session = session
        self._workers_url = f"http://127.0.0.1:{host_port}/_control/processes"
        self._workers: list[dict[str, object]] = []

    def app(self) -> web.Application:
        """Return the application to serve."""
        app = web.Application()
        app.router.add_get("/processes", self._list)
        app.router.add_post("/processes/{name}/{action}", self._act)
        return app

    async def processes(self) -> list[dict[str, object]]:
        """Return every process: the host, its workers as last heard of, then the others."""
        await self._ask_host()
        items = self._supervisor.processes()
        return [*items[:1], *self._workers, *items[1:]]

    async def _ask_host(self) -> None:
        try:
            async with self._session.get(self._workers_url, timeout=_HOST_PATIENCE) as reply:
                reply.raise_for_status()
                listed = await reply.json()
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return
        self._workers = [item for item in listed["items"] if item["name"] != "host"]

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response({"items": await self.processes()})

    async def _act(self, request: web.Request) -> web.Response:
        name, action = request.match_info["name"], request.match_info["action"]
        if action not in ACTIONS:
            sentence = f"there is no action {action!r}; there are {', '.join(ACTIONS)}"
            return web.json_response({"error": sentence}, status=404)
        for item in await self.processes():
            if item["name"] == name:
                await self._apply(name, action, item["pid"])
                return web.Response(status=204)
        return web.json_response({"error": f"there is no process {name!r}"}, status=404)

    async def _apply(self, name: str, action: str, pid: object) -> None:
        if name.startswith("worker-"):
            if isinstance(pid, int):
                signal_worker(pid, action)
        else:
            await self._supervisor.act(name, action)
