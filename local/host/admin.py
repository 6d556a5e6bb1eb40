"""The host's own calls: `/admin`, opened by the master key."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from local.host.auth import KeyRing
from local.host.context import Trigger
from local.host.errors import NoWorkerError
from local.host.invoker import InvocationError, Invoker, TriggerEvent

_WAIT_HEADER = "x-parley-wait"


class Admin:
    """Lists the functions, runs one by hand, and shows how the host is.

    *triggers* is filled while the app is being indexed.
    """

    def __init__(self, keys: KeyRing, invoker: Invoker, triggers: Mapping[str, Trigger]) -> None:
        self._keys = keys
        self._invoker = invoker
        self._triggers = triggers
        self._running: set[asyncio.Task[bool]] = set()

    def application(self) -> web.Application:
        """Return the calls as an application to mount at `/admin`."""
        app = web.Application(middlewares=[self._check_key])
        app.router.add_get("/host/status", self._status)
        app.router.add_get("/host/keys", self._host_keys)
        app.router.add_get("/functions", self._list)
        app.router.add_post("/functions/{name}", self._run)
        return app

    @web.middleware
    async def _check_key(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        if not self._keys.allows(request, "admin"):
            return web.Response(status=401)
        return await handler(request)

    async def _status(self, _: web.Request) -> web.Response:
        state = "Running" if self._triggers else "Initialized"
        return web.json_response({"id": "parley-local-host", "state": state, "version": "4.0.0"})

    async def _host_keys(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [{"name": "default", "value": self._keys.default}]})

    async def _list(self, _: web.Request) -> web.Response:
        functions = [trigger.invocable.function for trigger in self._triggers.values()]
        return web.json_response(
            [
                {
                    "name": function.name,
                    "config": {
                        "bindings": [
                            {"name": each.name, "type": each.type, "direction": each.direction}
                            for each in (function.trigger, *function.inputs, *function.outputs)
                        ]
                    },
                }
                for function in functions
            ]
        )

    async def _run(self, request: web.Request) -> web.Response:
        trigger = self._triggers.get(request.match_info["name"].lower())
        if trigger is None:
            return web.Response(status=404)
        try:
            trigger_event = trigger.event_for(_input(await request.read()))
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        task = asyncio.create_task(self._invoke(trigger, trigger_event))
        if request.headers.get(_WAIT_HEADER) == "true":
            return web.Response(status=200 if await task else 500)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return web.Response(status=202)

    async def _invoke(self, trigger: Trigger, trigger_event: TriggerEvent) -> bool:
        try:
            await self._invoker.invoke(trigger.invocable, trigger_event)
        except (InvocationError, NoWorkerError):
            return False
        return True


def _input(body: bytes) -> str:
    document = json.loads(body or b"{}")
    text = document.get("input", "") if isinstance(document, dict) else None
    if not isinstance(text, str):
        raise ValueError('the body must be {"input": "<text>"}')  # noqa: TRY004
    return text
