"""The host put together: workers, HTTP front, webhook, listeners, admin and control calls."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

import aiohttp
from aiohttp import web

from local.common import keys as stack_keys
from local.common.process import http_server
from local.common.settings import LocalSettings
from local.host import hostjson, registry
from local.host.admin import Admin
from local.host.appsettings import AppSettings
from local.host.auth import KeyRing
from local.host.bindings.quiet import WarmupTrigger
from local.host.context import Context, Trigger
from local.host.errors import StartError
from local.host.functions import parse_functions
from local.host.http_front import HttpFront
from local.host.invoker import Invoker
from local.host.refusal import no_functions
from local.host.signalr_webhook import SignalRWebhook
from local.host.typed_value import string
from local.host.worker_process import Call, Worker
from local.host.workers import WorkerPool

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_MAX_BODY_BYTES = 100 * 1024 * 1024  # FUNCTIONS_REQUEST_BODY_SIZE_LIMIT's default
_INDEXING_S = 10.0
_WARMUP_S = 10.0


class Host:
    """One app, served until told to stop.

    Raises:
        StartError: From the constructor or from `run`: host.json, the app or its settings ask
            for what cannot be served.

    """

    def __init__(self, local: LocalSettings, settings: AppSettings) -> None:
        self._local = local
        self._settings = settings
        host_json = hostjson.load(settings.app_directory)
        keys = KeyRing(stack_keys.load_or_create(local.directory))
        self._invoker = Invoker(host_json.function_timeout_s, tracebacks=settings.shows_tracebacks)
        self._http = HttpFront(self._invoker, keys, host_json.route_prefix)
        self._signalr = SignalRWebhook(self._invoker, keys, rewrites_dates=settings.rewrites_dates)
        self._pool = WorkerPool(
            settings.worker_count, settings.app_directory, dict(settings.values), self._prepare
        )
        self._context = Context(
            settings=settings,
            host_json=host_json,
            directory=local.directory / "host",
            invoker=self._invoker,
            http=self._http,
            signalr=self._signalr,
            session=lambda: self._session,
        )
        self._triggers: dict[str, Trigger] = {}
        self._admin = Admin(keys, self._invoker, self._triggers)
        self._indexed = asyncio.Event()
        self._session: aiohttp.ClientSession

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until *stop* is set; then let running calls end before their workers do."""
        async with contextlib.AsyncExitStack() as stack:
            self._session = await stack.enter_async_context(
                aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
            )
            workers = asyncio.create_task(self._pool.run())
            stack.push_async_callback(_cancelled, workers)
            await stack.enter_async_context(
                http_server(self._application(), self._local.ports.host)
            )
            stopping = asyncio.create_task(stop.wait())
            listening = asyncio.create_task(self._listen())
            stack.push_async_callback(_cancelled, listening, stopping)
            done, _ = await asyncio.wait(
                [stopping, workers, listening], return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()

    async def _listen(self) -> None:
        await self._indexed.wait()
        async with asyncio.TaskGroup() as group:
            for trigger in self._triggers.values():
                group.create_task(trigger.run())
            await asyncio.Event().wait()

    def index(self, described: list[object]) -> None:
        """Put together the functions of the app, as a worker *described* them.

        Raises:
            StartError: They ask for what cannot be served, or there are none.

        """
        functions = parse_functions(described, self._settings.values)
        if not functions:
            raise StartError(no_functions(self._settings.app_directory))
        for function in functions:
            if not self._settings.disables(function.name):
                self._triggers[function.name.lower()] = registry.build(function, self._context)
        logger.info("indexed %d functions", len(self._triggers))

    async def _prepare(self, worker: Worker, described: list[object]) -> None:
        if not self._indexed.is_set():
            self.index(described)
            self._invoker.pool = self._pool
            self._indexed.set()
        for trigger in self._triggers.values():
            if isinstance(trigger, WarmupTrigger):
                await _warm_up(worker, trigger)

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_get("/_control/health", self._health)
        app.router.add_get("/_control/metrics", self._metrics)
        app.router.add_get("/_control/processes", self._processes)
        app.add_subapp("/admin", self._admin.application())
        app.router.add_route("*", "/runtime/webhooks/signalr", self._when_indexed(self._signalr))
        app.router.add_route("*", "/{path:(?s:.*)}", self._when_indexed(self._http))
        return app

    def _when_indexed(self, front: HttpFront | SignalRWebhook) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            if not self._indexed.is_set():
                try:
                    await asyncio.wait_for(self._indexed.wait(), _INDEXING_S)
                except TimeoutError:
                    return web.Response(status=503, text="Function host is not running.")
            return await front.handle(request)

        return handle

    async def _health(self, _: web.Request) -> web.Response:
        if self._pool.is_ready:
            return web.json_response({"status": "ok"})
        return web.json_response({"status": "starting"}, status=503)

    async def _metrics(self, _: web.Request) -> web.Response:
        counts = (trigger.invocable for trigger in self._triggers.values())
        functions = {
            each.name: {"invocations": each.invocations, "failures": each.failures}
            for each in counts
        }
        return web.json_response({"functions": functions})

    async def _processes(self, _: web.Request) -> web.Response:
        return web.json_response({"items": self._pool.processes()})


async def _warm_up(worker: Worker, trigger: WarmupTrigger) -> None:
    invocable = trigger.invocable
    invocable.invocations += 1
    call = Call(invocable.function.id, [(invocable.function.trigger.name, string(""))])
    try:
        async with asyncio.timeout(_WARMUP_S):
            done = await worker.run(call)
    except TimeoutError:
        logger.warning("function %s is still warming up; going on", invocable.name)
        return
    if done.failure is not None:
        invocable.failures += 1
        logger.warning("function %s failed: %s", invocable.name, done.failure.brief())


async def _cancelled(*tasks: asyncio.Task[object]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
