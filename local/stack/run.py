"""The stack's life, from the checks before the start to the last process's end."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from local.blob.provision import Account, provision
from local.common.keys import Keys, load_or_create
from local.common.process import die_with_parent, http_server
from local.common.settings import LocalSettings, take_from_others
from local.stack.application import (
    Application,
    find_model,
    other_app,
    parley,
    settings_json,
)
from local.stack.arguments import Arguments
from local.stack.control import Control
from local.stack.environment import caller_environment, overridden
from local.stack.errors import CannotStartError
from local.stack.locks import lock, require_free
from local.stack.logs import LogWatch, last_lines, log_path
from local.stack.parts import Part, parts, uses
from local.stack.readiness import Readiness, refuse_hopeless
from local.stack.supervisor import Supervisor
from local.stack.terminal import SETTINGS_NAME, Terminal, welcome, welcome_app

ROOT = Path(__file__).resolve().parents[2]

_WATCH_PAUSE_S = 0.5


class Stack:
    """One run of the stack in one local directory."""

    def __init__(
        self, settings: LocalSettings, keys: Keys, app: Application, all_parts: list[Part]
    ) -> None:
        self._app = app
        self._settings = settings
        self._keys = keys
        self._logs = settings.directory / "logs"
        self._names = [part.name for part in all_parts]
        self._has_containers = asyncio.Event()
        self._terminal = Terminal()
        self._supervisor = Supervisor(all_parts, ROOT, self._logs, self._terminal.report)

    async def run(self, stop: asyncio.Event) -> None:
        """Start everything, say when it is ready, and end it all once *stop* is set.

        Raises:
            CannotStartError: A part cannot be started.

        """
        self._terminal.say(f"starting {len(self._names)} processes")
        self._supervisor.start([name for name in self._names if self._starts_at_once(name)])
        try:
            async with self._beside() as session, asyncio.TaskGroup() as group:
                chores = [
                    group.create_task(self._watch_logs()),
                    group.create_task(self._keep_containers(session)),
                    group.create_task(self._say_when_ready(session)),
                ]
                await stop.wait()
                for chore in chores:
                    chore.cancel()
        finally:
            self._terminal.say("ending")
            await self._supervisor.stop()

    def kill(self) -> None:
        """Kill everything at once: for the second Ctrl-C."""
        self._supervisor.kill()

    @contextlib.asynccontextmanager
    async def _beside(self) -> AsyncIterator[aiohttp.ClientSession]:
        ports = self._settings.ports
        async with aiohttp.ClientSession() as session:
            control = Control(self._supervisor, session, ports.host)
            async with http_server(control.app(), ports.supervisor):
                yield session

    def _starts_at_once(self, name: str) -> bool:
        # Parley waits for its services by itself, and is ready sooner for it. Another app may use
        # them while it is imported, so it starts when its containers and queues exist.
        return self._app.is_parley or name != "host"

    async def _say_when_ready(self, session: aiohttp.ClientSession) -> None:
        ports, directory = self._settings.ports, self._settings.directory
        readiness = Readiness(session, ports)
        if self._app.is_parley:
            url = f"http://127.0.0.1:{ports.front}"
            await readiness.wait(readiness.parley, self._check, self._still_waiting)
            screen = welcome(url, directory, os.getpid())
        else:
            url = f"http://127.0.0.1:{ports.host}"
            await readiness.wait(readiness.services, self._check, self._still_waiting)
            await self._has_containers.wait()
            self._supervisor.start(["host"])
            await readiness.wait(readiness.host, self._check, self._still_waiting)
            screen = welcome_app(ports.supervisor, directory, os.getpid())
        self._terminal.say(f"ready {url}")
        self._terminal.say(screen)

    def _check(self) -> None:
        self._supervisor.check()
        name = self._supervisor.hopeless()
        if name is not None:
            words = last_lines(self._logs, name, 40)
            refuse_hopeless(name, words, str(log_path(self._logs, name)))

    def _still_waiting(self, missing: str) -> None:
        self._terminal.say(f"not ready yet: {missing}. The logs are in {self._logs}.")

    async def _watch_logs(self) -> None:
        watches = {name: LogWatch(self._logs, name) for name in self._names}
        while True:
            for name, watch in watches.items():
                for line in watch.serious_lines():
                    self._terminal.error_line(name, line)
            await asyncio.sleep(_WATCH_PAUSE_S)

    async def _keep_containers(self, session: aiohttp.ClientSession) -> None:
        # Azurite writes its list of containers seconds later; one killed before has none.
        ports, done_for = self._settings.ports, None
        account = Account(ports.blob_server, self._keys.blob)
        origins = [
            f"http://{name}:{port}"
            for name in ("127.0.0.1", "localhost")
            for port in (ports.front, ports.host)
        ]
        while True:
            pid = self._supervisor.pid_of("azurite")
            if pid != done_for:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    await provision(session, account, self._app.model.blob_containers, origins)
                    done_for = pid
                    self._has_containers.set()
            await asyncio.sleep(_WATCH_PAUSE_S / 5)


def main() -> None:
    """Run the stack until SIGTERM or SIGINT.

    Raises:
        SystemExit: It could not start: status 1 and one sentence.

    """
    arguments = Arguments.parse()
    try:
        stack, holder = _prepare(arguments)
        with contextlib.closing(os.fdopen(holder)), asyncio.Runner() as runner:
            runner.run(_until_signalled(stack))
    except* CannotStartError as group:
        raise SystemExit(f"parley: {_first(group)}") from None


def _prepare(arguments: Arguments) -> tuple[Stack, int]:
    settings = LocalSettings.from_env(arguments.app and arguments.app / ".local")
    keys = load_or_create(settings.directory)
    app = _application(arguments, settings, keys)
    if arguments.shows_settings:
        sys.stdout.write(settings_json(app.settings))
        raise SystemExit(0)
    holder = lock(settings.directory)
    take_from_others(settings.directory)
    require_free(uses(settings.ports))
    caller = caller_environment()
    if caller.get("CHAT_LOCAL_TIED") == "1":
        die_with_parent()
    for name in overridden(app.settings, caller):
        Terminal().say(f"{name} is taken from your environment")
    return Stack(settings, keys, app, parts(ROOT, settings, keys, caller, app)), holder


def _application(arguments: Arguments, local: LocalSettings, keys: Keys) -> Application:
    if arguments.app is None:
        return parley(local, keys)
    model = find_model(arguments.app, arguments.model, local.directory)
    app = other_app(arguments.app, model, local.ports, keys)
    # Other tools of the team read the connection strings there; the directory is private.
    (local.directory / SETTINGS_NAME).write_text(settings_json(app.settings), encoding="utf-8")
    return app


async def _until_signalled(stack: Stack) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        if stop.is_set():
            stack.kill()
        stop.set()

    loop.add_signal_handler(signal.SIGTERM, end)
    loop.add_signal_handler(signal.SIGINT, end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup asked to outlive the terminal
        loop.add_signal_handler(signal.SIGHUP, end)
    await stack.run(stop)


def _first(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
